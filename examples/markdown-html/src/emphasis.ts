/** A piece of output: finished HTML, or a row of `*` or `_` that may still become tags. */
export interface Piece {
  html: string;
  run?: Run;
}

interface Run {
  char: string;
  /** Characters that have not become tags. */
  length: number;
  /** End tags, which come before what is left of the run, and start tags, which come after it. */
  endTags: string;
  startTags: string;
  /** As it was in the source, for the rule of three. */
  sourceLength: number;
  canOpen: boolean;
  canClose: boolean;
}

const punctuation = /^[\p{P}\p{S}]$/u;

/** Classifies the run of `char` at `at` by its neighbours (CommonMark 6.2: left- and right-flanking). */
export function delimiterRun(source: string, at: number, char: string): Run {
  let end = at;
  while (source[end] === char) end++;
  const before = at === 0 ? "\n" : lastCharacter(source.slice(Math.max(0, at - 2), at));
  const after = end >= source.length ? "\n" : String.fromCodePoint(source.codePointAt(end) ?? 10);
  const isBlankBefore = /\s/.test(before);
  const isBlankAfter = /\s/.test(after);
  const isPunctuationBefore = punctuation.test(before);
  const isPunctuationAfter = punctuation.test(after);
  const isLeft = !isBlankAfter && (!isPunctuationAfter || isBlankBefore || isPunctuationBefore);
  const isRight = !isBlankBefore && (!isPunctuationBefore || isBlankAfter || isPunctuationAfter);
  const isUnderscore = char === "_";
  return {
    char,
    length: end - at,
    endTags: "",
    startTags: "",
    sourceLength: end - at,
    canOpen: isUnderscore ? isLeft && (!isRight || isPunctuationBefore) : isLeft,
    canClose: isUnderscore ? isRight && (!isLeft || isPunctuationAfter) : isRight,
  };
}

function lastCharacter(text: string): string {
  return Array.from(text).at(-1) ?? "\n";
}

/**
 * Turns the runs of `pieces` into `<em>` and `<strong>`, in place. Follows the "process emphasis" procedure of CommonMark, with its floor
 * per kind of closer, which keeps it linear in the number of runs for hostile input.
 */
export function applyEmphasis(pieces: Piece[]): void {
  const open: Run[] = [];
  const floors = new Map<string, number>();
  for (const { run } of pieces) {
    if (run === undefined) continue;
    while (run.canClose && run.length > 0) {
      const kind = `${run.char}${run.sourceLength % 3}${run.canOpen}`;
      const found = findOpener(open, run, floors.get(kind) ?? 0);
      if (found < 0) {
        floors.set(kind, open.length);
        break;
      }
      const opener = open[found] as Run;
      joinRuns(opener, run);
      open.length = opener.length === 0 ? found : found + 1;
      for (const [key, floor] of floors) floors.set(key, Math.min(floor, open.length));
    }
    if (run.canOpen && run.length > 0) open.push(run);
  }
  for (const piece of pieces) {
    const run = piece.run;
    if (run === undefined) continue;
    piece.html = run.endTags + run.char.repeat(run.length) + run.startTags;
    delete piece.run;
  }
}

/** Index in `open` of the run that `closer` closes, or -1. */
function findOpener(open: Run[], closer: Run, floor: number): number {
  for (let i = open.length - 1; i >= floor; i--) {
    const opener = open[i] as Run;
    if (opener.char !== closer.char) continue;
    const isBoth = opener.canClose || closer.canOpen;
    const isThree = (opener.sourceLength + closer.sourceLength) % 3 === 0;
    const areThrees = opener.sourceLength % 3 === 0 && closer.sourceLength % 3 === 0;
    if (!isBoth || !isThree || areThrees) return i;
  }
  return -1;
}

/** Takes one or two characters off both runs and leaves tags in their place. */
function joinRuns(opener: Run, closer: Run): void {
  const used = opener.length >= 2 && closer.length >= 2 ? 2 : 1;
  const tag = used === 2 ? "strong" : "em";
  opener.length -= used;
  closer.length -= used;
  opener.startTags = `<${tag}>${opener.startTags}`;
  closer.endTags += `</${tag}>`;
}

const NAMES_MAX = 3;

/** Those of `names` that somebody who wrote `given` may have meant, the nearest first: few letters differ, or it is the beginning of one. */
export function nearest(given: string, names: Iterable<string>): string[] {
  const word = given.toLowerCase();
  const allowed = Math.max(1, Math.floor(word.length / 3));
  return [...new Set(names)]
    .map((name) => ({ name, distance: distanceOf(word, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= allowed || isBeginning(word, name))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, NAMES_MAX)
    .map(({ name }) => name);
}

/** `; did you mean a, b or c?`, or nothing. */
export function didYouMean(given: string, names: Iterable<string>): string {
  const found = nearest(given, names);
  const last = found.pop();
  if (last === undefined) return "";
  return `; did you mean ${found.length === 0 ? last : `${found.join(", ")} or ${last}`}?`;
}

function isBeginning(word: string, name: string): boolean {
  return word.length >= 3 && name.toLowerCase().startsWith(word);
}

/** Letters to put in, take out, replace or swap with their neighbour (optimal string alignment). Long texts are no typing errors. */
function distanceOf(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const above = rows[i - 1] as number[];
      let least = Math.min(above[j] as number, row[j - 1] as number) + 1;
      least = Math.min(least, (above[j - 1] as number) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, ((rows[i - 2] as number[])[j - 2] as number) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

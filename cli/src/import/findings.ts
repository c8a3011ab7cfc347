/** One sentence about one place of the file that is imported. */
export interface Finding {
  /** `functions.hello.events[0]` */
  place: string;
  text: string;
}

const KEPT_MAX = 500;

/** What an import has to tell beside what it wrote. Each sentence once; of many, the first 500. */
export class Findings {
  /** Came over, but is not the same. */
  readonly changed: Finding[] = [];
  /** Did not come over, and what to do instead. */
  readonly left: Finding[] = [];

  change(place: string, text: string): void {
    keep(this.changed, { place, text });
  }

  leave(place: string, text: string): void {
    keep(this.left, { place, text });
  }
}

function keep(list: Finding[], finding: Finding): void {
  const isKnown = list.some(({ place, text }) => place === finding.place && text === finding.text);
  if (!isKnown && list.length < KEPT_MAX) list.push(finding);
}

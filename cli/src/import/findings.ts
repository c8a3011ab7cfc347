import { type Tree, type TreeMap, isTreeMap } from "./yaml-tree.ts";

/** One sentence about one place of the file that is imported. */
export interface Finding {
  /** `functions.hello.events[0]` */
  place: string;
  text: string;
}

const KEPT_MAX = 500;
/** Of a place that is told apart from the one around it. */
const PLACE_CHARS_MAX = 1000;

/** What an import has to tell beside what it wrote. Each sentence once; of many, the first 500 that are told. */
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

  /** Puts what is told into the order of the file. What has no place in it comes last; what has one and the same stays as it was told. */
  sortBy(tree: TreeMap): void {
    const order = placesIn(tree);
    for (const list of [this.changed, this.left]) {
      const ranks = new Map(list.map((finding) => [finding, rankOf(finding.place, order)]));
      list.sort((a, b) => (ranks.get(a) as number) - (ranks.get(b) as number));
    }
  }
}

function keep(list: Finding[], finding: Finding): void {
  const isKnown = list.some(({ place, text }) => place === finding.place && text === finding.text);
  if (!isKnown && list.length < KEPT_MAX) list.push(finding);
}

/** Of every value its place and rank: `functions.hello.events[0]`. `Properties` of templates is named by no finding. */
function placesIn(tree: TreeMap): ReadonlyMap<string, number> {
  const order = new Map<string, number>();
  const visit = (value: Tree, place: string) => {
    if (place.length > PLACE_CHARS_MAX) return;
    if (!order.has(place)) order.set(place, order.size);
    if (Array.isArray(value))
      for (const [at, one] of value.entries()) visit(one, `${place}[${at}]`);
    else if (isTreeMap(value))
      for (const [name, one] of Object.entries(value)) {
        if (name === "Properties") visit(one, place);
        else visit(one, place === "" ? name : `${place}.${name}`);
      }
  };
  visit(tree, "");
  return order;
}

/** That of the place itself, or of the nearest around it that is in the file. */
function rankOf(place: string, order: ReadonlyMap<string, number>): number {
  for (let around = place; around !== ""; around = around.replace(/(^|[.[])[^.[]*$/, "")) {
    const rank = order.get(around);
    if (rank !== undefined) return rank;
  }
  return Number.MAX_SAFE_INTEGER;
}

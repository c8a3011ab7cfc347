import { emptyFrame, type Frame } from "./frame.ts";
import type { Grouping } from "./labels.ts";

type Labels = Partial<Record<Grouping, string | number>>;

/** The frames of a group: one for each step, made where there is something, and one for all. */
export interface GroupFrames {
  labels: Labels;
  steps: (Frame | undefined)[];
  whole: Frame;
}

/** Groups by their labels, in the order in which they are met. */
export class Frames {
  readonly #groupBy: readonly Grouping[];
  readonly #steps: number;
  readonly #groups = new Map<string, GroupFrames>();

  constructor(groupBy: readonly Grouping[], steps: number) {
    this.#groupBy = groupBy;
    this.#steps = steps;
  }

  /** The frame of a step and that of the whole, of the group that these labels are in. */
  at(labels: Labels, step: number): Frame[] {
    const group = this.#groupOf(labels);
    const frame = group.steps[step] ?? emptyFrame();
    group.steps[step] = frame;
    return [frame, group.whole];
  }

  all(): GroupFrames[] {
    return [...this.#groups.values()];
  }

  get(labels: Labels): GroupFrames {
    return this.#groupOf(labels);
  }

  #groupOf(labels: Labels): GroupFrames {
    const own: Labels = {};
    for (const name of this.#groupBy) own[name] = labels[name] as string | number;
    const key = JSON.stringify(own);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const steps = Array.from<Frame | undefined>({ length: this.#steps });
    const group = { labels: own, steps, whole: emptyFrame() };
    this.#groups.set(key, group);
    return group;
  }
}

/** How long what is kept of a series reaches, in minutes, finest first. Each is added up from the one before. */
export const MINUTE = 1;
export const HOUR = 60;
export const DAY = 1440;
export type Resolution = typeof MINUTE | typeof HOUR | typeof DAY;

/** The coarsest in which steps of this length can be told. */
export function resolutionFor(stepMinutes: number): Resolution {
  if (stepMinutes % DAY === 0) return DAY;
  return stepMinutes % HOUR === 0 ? HOUR : MINUTE;
}

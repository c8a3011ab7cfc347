/**
 * What an idle sandbox is worth, on the scale of the clock of `EvictionOrder`: how often it was used, by what it would cost to have it again (ms), over its size.
 * Uses count by their logarithm and the cost by its root: bench/keep-alive has fewer cold starts so, and less time lost with them, than with either as it is; and the
 * uses are those of the sandbox, because what its function is called says little of a sandbox that only its peaks need.
 */
export function worthOf(uses: number, costMs: number, memoryMiB: number): number {
  return (Math.log2(1 + uses) * Math.sqrt(costMs)) / memoryMiB;
}

/** Uses that a sandbox counts as having which was started ahead of a call: one is expected. */
export const AHEAD_USES = 3;

/** Of two that are worth the same, the one that has been idle longer goes first; too little to matter otherwise. Monotonic ms. */
export function tieBreak(idleSinceMs: number): number {
  return idleSinceMs * 1e-12;
}

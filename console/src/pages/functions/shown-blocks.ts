/** Indexes of the first and the last row that are seen. */
export interface SeenRows {
  first: number;
  last: number;
}

const BLOCK_ROWS = 50;
/** So that the names of all blocks fit a request, however tall the window. */
const BLOCKS_MAX = 3;

/** The rows of whole blocks around those that are seen, so that a step of scrolling asks for nothing new. */
export function blocksOf({ first, last }: SeenRows): { from: number; until: number } {
  const begin = Math.floor(first / BLOCK_ROWS);
  const end = Math.min(begin + BLOCKS_MAX, Math.floor(last / BLOCK_ROWS) + 1);
  return { from: begin * BLOCK_ROWS, until: end * BLOCK_ROWS };
}

/** What a line takes in the store beside its text: its other columns and its places in the indexes. */
export const LOG_LINE_OVERHEAD_BYTES = 220;

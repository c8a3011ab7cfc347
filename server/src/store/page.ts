export interface Page<T> {
  items: T[];
  /** Give it back as `cursor` for the rest; null at the end. */
  nextCursor: string | null;
}

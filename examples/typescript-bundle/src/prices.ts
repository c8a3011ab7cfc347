import { z } from "zod";

const Price = z.object({ cents: z.int().min(0), count: z.int().min(1).default(1) });
export type Price = z.infer<typeof Price>;

/** The prices, or where each problem is. */
export function parsePrices(value: unknown): { prices: Price[] } | { problems: string[] } {
  const parsed = z.array(Price).safeParse(value);
  if (parsed.success) return { prices: parsed.data };
  return { problems: parsed.error.issues.map(({ path }) => path.join(".")) };
}

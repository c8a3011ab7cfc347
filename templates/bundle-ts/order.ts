import { z } from "zod";

const Item = z.object({
  name: z.string().min(1).max(100),
  cents: z.int().min(0),
  count: z.int().min(1).default(1),
});
const Order = z.object({ items: z.array(Item).min(1).max(100) });
export type Order = z.infer<typeof Order>;

/** The order that the JSON `text` holds, or what is wrong with it and where. */
export function readOrder(text: string): { order: Order } | { problems: string[] } {
  const json = jsonOf(text);
  if (json === undefined) return { problems: ["expected JSON"] };
  const parsed = Order.safeParse(json);
  if (parsed.success) return { order: parsed.data };
  const { issues } = parsed.error;
  return { problems: issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`) };
}

/** In whole currency, as `12.50`. */
export function totalOf({ items }: Order): string {
  const cents = items.reduce((sum, item) => sum + item.cents * item.count, 0);
  return (cents / 100).toFixed(2);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON: said by the caller
  }
}

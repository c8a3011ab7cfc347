import { Hono } from "hono";
import { parsePrices } from "./prices";

const app = new Hono();

app.post("/total", async (c) => {
  const parsed = parsePrices(await c.req.json());
  if ("problems" in parsed) return c.json({ problems: parsed.problems }, 400);
  const total = parsed.prices.reduce((sum: number, { cents, count }) => sum + cents * count, 0);
  return c.json({ total: (total / 100).toFixed(2) });
});

export default app;

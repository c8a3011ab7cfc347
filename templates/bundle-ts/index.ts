import { Hono } from "hono";
import { readOrder, totalOf } from "./order";

const app = new Hono();

app.get("/", (c) =>
  c.json({ try: 'POST /orders with {"items": [{"name": "tea", "cents": 250}]}' }),
);

app.post("/orders", async (c) => {
  const read = readOrder(await c.req.text());
  if ("problems" in read) return c.json({ problems: read.problems }, 400);
  return c.json({ items: read.order.items.length, total: totalOf(read.order) }, 201);
});

app.notFound((c) => c.json({ error: `no ${c.req.method} ${c.req.path}` }, 404));

export default app;

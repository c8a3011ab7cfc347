import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { validator } from "hono/validator";

const app = new Hono();

app.get("/", (c) =>
  c.json({ try: ["GET /words/level", 'POST /words with {"words": ["b", "a"]}'] }),
);

app.get("/words/:word", (c) => {
  const word = c.req.param("word");
  return c.json({ word, letters: [...word].length, backwards: [...word].reverse().join("") });
});

const words = validator("json", (body: unknown): string[] => {
  const list = typeof body === "object" && body !== null && "words" in body ? body.words : null;
  if (!isTexts(list)) throw new HTTPException(400, { message: 'expected {"words": ["b", "a"]}' });
  return list;
});

app.post("/words", words, (c) => c.json({ sorted: c.req.valid("json").toSorted() }));

app.notFound((c) => c.json({ error: `no ${c.req.method} ${c.req.path}` }, 404));

app.onError((error, c) => {
  // What is our own fault goes on: the platform answers 500 and logs the stack.
  if (!(error instanceof HTTPException)) throw error;
  return c.json({ error: error.message }, error.status);
});

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

export default app;

import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { validator } from "hono/validator";

const app = new Hono();

app.get("/", (c) => c.json({ paths: ["/words/:word", "/words"] }));

app.get("/words/:word", (c) => {
  const word = c.req.param("word");
  return c.json({ word, letters: [...word].length, backwards: [...word].reverse().join("") });
});

const words = validator("json", (body) => {
  const isList = Array.isArray(body?.words) && body.words.every((one) => typeof one === "string");
  if (!isList) throw new HTTPException(400, { message: "expected {words: [text, ...]}" });
  return body.words;
});

app.post("/words", words, (c) => c.json({ sorted: c.req.valid("json").toSorted() }));

app.onError((error, c) => {
  const status = error instanceof HTTPException ? error.status : 500;
  return c.json({ error: error.message }, status);
});

export default app;

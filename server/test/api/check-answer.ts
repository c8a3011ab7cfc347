import assert from "node:assert/strict";
import type fc from "fast-check";
import Value from "typebox/value";
import { errorCatalogue } from "../../src/errors.ts";
import { type Operation, answerSchema, nameOf } from "./operations.ts";
import type { RawAnswer } from "./raw-http.ts";

/** Holds an answer against the document: its status is there, its body has the schema of it, and of an error every part is as documented. */
export function checkAnswer(operation: Operation, answer: RawAnswer | null): asserts answer {
  assert.ok(answer !== null, `${nameOf(operation)}: no answer`);
  const said = `${nameOf(operation)} ${answer.status}: ${answer.text.slice(0, 500)}`;
  assert.ok(answer.status < 500, said);
  const schema = answerSchema(operation, answer.status);
  assert.notEqual(schema, undefined, `undocumented status, ${said}`);
  if (schema !== null) {
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/, said);
    assert.deepEqual(Value.Errors(schema as object, answer.json), [], said);
  }
  if (answer.status >= 400) checkError(answer);
}

/** Also of calls that lead to no operation. */
export function checkError(answer: RawAnswer): void {
  const { error } = answer.json as {
    error: { code: keyof typeof errorCatalogue; requestId: string; message: string };
  };
  assert.equal(errorCatalogue[error.code]?.status, answer.status, answer.text);
  assert.equal(error.requestId, answer.headers.get("isola-request-id"), answer.text);
  assert.notEqual(error.message, "", answer.text);
}

/** The same cases in every run. `FC_SEED=random` (or a number) looks at others, `FC_TIMES=10` ten times as long; a failure prints `seed` and `path`, and `FC_SEED=... FC_PATH=...` repeat it. */
export function runs(numRuns: number): fc.Parameters<unknown> {
  const { FC_SEED = "1", FC_PATH, FC_TIMES = "1" } = process.env;
  return {
    numRuns: numRuns * Number(FC_TIMES),
    ...(FC_SEED !== "random" && { seed: Number(FC_SEED) }),
    ...(FC_PATH !== undefined && { path: FC_PATH }),
  };
}

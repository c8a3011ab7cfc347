import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { systemClock } from "../domain/clock.ts";
import type { Store } from "../store/store.ts";
import { openControlPlane } from "./control-plane.fixture.ts";

const functions = "/api/v1/functions";
const body = (name: string, path: string) => ({
  ...{ name, runtime: "nodejs", route: { path } },
  code: { files: { "index.mjs": "export const handler = () => 1" } },
});

/** The same store, each call of which takes some turns of the event loop, as one over a network would. */
function distant(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== "function") return member;
      return async (...given: unknown[]) => {
        for (let turn = 0; turn < 5; turn += 1) await setImmediate();
        return (await Reflect.apply(member, target, given)) as unknown;
      };
    },
  });
}

test("changes without If-Match never meet each other, however long the store takes", async (t) => {
  const plane = await openControlPlane(t, systemClock, distant);
  await plane.call("POST", functions, { body: body("hello", "/x") });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      plane.call("PATCH", `${functions}/hello`, { body: { timeoutMs: 1000 + at } }),
    ),
  );
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    answers.map(() => 200),
  );
  const { json } = await plane.call("GET", `${functions}/hello`);
  assert.equal(json().latestRevision, 21);
});

test("of creates with conflicting routes at once one is made, however long the store takes", async (t) => {
  const plane = await openControlPlane(t, systemClock, distant);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      plane.call("POST", functions, { body: body(`fn-${at}`, `/same/:p${at}`) }),
    ),
  );
  const statuses = answers.map(({ statusCode }) => statusCode).toSorted();
  assert.deepEqual(statuses, [201, ...Array.from({ length: 9 }, () => 409)]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import * as api from "@isola/api/limits";
import { logLevels } from "./log-level.ts";
import {
  type PlatformEvent,
  eventCatalogue,
  eventKinds,
  eventOf,
  eventText,
  severities,
} from "./events.ts";

test("every text of the catalogue uses fields that the kind has, and each kind says all of what it needs", () => {
  for (const kind of eventKinds) {
    const { text, fields } = eventCatalogue[kind];
    const names = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
    for (const name of names)
      assert.ok(name === "function" || name in fields, `${kind} names {${name}}`);
    const filled = Object.fromEntries(Object.keys(fields).map((name) => [name, 7]));
    const event = { kind, at: 1, project: "p", functionName: "hello", fields: filled };
    assert.doesNotMatch(eventText(event as PlatformEvent), /[{}?]|undefined/, kind);
  }
});

test("the API's document has the same kinds, severities and levels", () => {
  assert.deepEqual(api.eventKinds, eventKinds);
  assert.deepEqual(api.severities, severities);
  assert.deepEqual(api.logLevels, logLevels);
});

test("an event keeps its fields, long texts cut", () => {
  const event = eventOf("driver_unavailable", 5, { driver: "docker", reason: "x".repeat(5000) });
  assert.equal(String(event.fields.reason).length, 1000);
  assert.deepEqual([event.project, event.functionName, event.at], [null, null, 5]);
  const owned = eventOf("function_deleted", 5, { key: "k" }, { project: "p", name: "hello" });
  assert.deepEqual([owned.project, owned.functionName], ["p", "hello"]);
  assert.equal(eventText(owned), "hello was deleted");
});

test("braces in a field are not read as names of others", () => {
  const event = eventOf("driver_unavailable", 5, { driver: "{reason}", reason: "$& {driver}" });
  assert.equal(eventText(event), "the driver {reason} can no longer run: $& {driver}");
});

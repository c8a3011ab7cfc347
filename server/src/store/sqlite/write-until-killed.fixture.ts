import { newRevision } from "../conformance/fixture.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";

/** Run as a process of its own: prints the name of each function after its create was answered, until it is killed. */
const store = await openSqliteStore({ path: process.argv[2] as string });
for (let index = 0; ; index += 1) {
  const name = `fn-${index}`;
  const base = { project: "default", name, description: "", labels: {} };
  await store.createFunction({ ...base, first: newRevision() });
  const added = await store.addRevision("default", name, () => newRevision({ reason: "code" }));
  process.stdout.write(`${name} ${added.revision.revision}\n`);
}

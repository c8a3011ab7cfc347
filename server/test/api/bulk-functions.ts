import { join } from "node:path";
import Database from "better-sqlite3";
import { openArtifactStore } from "../../src/artifacts/artifact-store.ts";
import { readPackage } from "../../src/artifacts/read-package.ts";
import {
  type Artifact,
  type DeployedFunction,
  type RevisionSettings,
  laterSettings,
} from "../../src/domain/function.ts";
import { settingLimits } from "../../src/domain/limits.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-sqlite-store.ts";

/** Answers with the path as the function sees it and the mark of its environment. */
const code = `export const handler = async (event) => ({
  path: event.rawPath, id: event.pathParameters?.id ?? null, mark: process.env.MARK,
});`;

export function bulkName(at: number): string {
  return `fn-${String(at).padStart(6, "0")}`;
}

/** Every second function has a route of its own. */
export function bulkRoute(at: number): string | null {
  return at % 2 === 0 ? null : `/tenants/t${at}/items/:id`;
}

/**
 * Fills the data folder of a server that does not run with so many functions, straight in its database: `fn-000000` on, all with one artifact, the label `group` (ten of them), and
 * their name as the variable `MARK`. Made at 1000 ms + their number, so that every order is known.
 */
export async function bulkFunctions(
  dataDir: string,
  count: number,
  runtime: string,
): Promise<void> {
  const artifact = await putCode(dataDir);
  const path = join(dataDir, "isola.db");
  await (await openSqliteStore({ path })).close();
  const db = new Database(path);
  try {
    db.pragma("synchronous = OFF");
    insert(db, { count, runtime, artifact });
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}

async function putCode(dataDir: string): Promise<Artifact> {
  const checked = await readPackage(
    { kind: "files", files: { "index.mjs": code } },
    { tempDir: dataDir },
  );
  try {
    return await (await openArtifactStore(join(dataDir, "artifacts"))).put(checked);
  } finally {
    await checked.close();
  }
}

function insert(
  db: Database.Database,
  given: { count: number; runtime: string; artifact: Artifact },
): void {
  const { count, runtime, artifact } = given;
  const { digest, bytes, entries, unpackedBytes } = artifact;
  const into = (table: string, values: string) => db.prepare(`insert into ${table} ${values}`);
  const functions = into("functions", "values (?, 'default', ?, ?, ?, 1, 1, ?, ?)");
  const labels = into("function_labels", "values (?, 'default', 'group', ?)");
  const revisions = into(
    "revisions",
    "values (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, 'bulk', 'create', null, null, null, null, null, 'process', 0)",
  );
  const aliases = into("aliases", "values (?, 'live', 1)");
  const artifactValues = [digest, bytes, entries, unpackedBytes];
  const all = db.transaction(() => {
    for (let at = 0; at < count; at += 1) {
      const [id, name, group] = [`bulk-${at}`, bulkName(at), `g${at % 10}`];
      const settings = bulkSettings(at, runtime);
      const madeAt = 1000 + at;
      functions.run(id, name, `number ${at}`, JSON.stringify({ group }), madeAt, madeAt);
      labels.run(id, group);
      const methods = settings.route === null ? null : JSON.stringify(settings.route.methods);
      const route = [settings.route?.path ?? null, methods];
      revisions.run(id, ...artifactValues, JSON.stringify(settings), ...route, madeAt);
      aliases.run(id);
    }
  });
  all();
}

/** One of them as the gateway gets it, with code of its own. */
export function bulkDeployed(at: number): DeployedFunction {
  return {
    project: "default",
    name: bulkName(at),
    functionId: `bulk-${at}`,
    revision: 1,
    artifact: {
      digest: String(at).padStart(64, "a"),
      bytes: 2048,
      entries: 1,
      unpackedBytes: 300,
    },
    settings: bulkSettings(at, "nodejs26"),
  };
}

function bulkSettings(at: number, runtime: string): RevisionSettings {
  const numbers = Object.fromEntries(
    Object.entries(settingLimits).map(([name, limit]) => [name, limit.default]),
  ) as Record<keyof typeof settingLimits, number>;
  const path = bulkRoute(at);
  return {
    runtime,
    handler: "index.handler",
    route: path === null ? null : { methods: ["GET"], path },
    driver: "process",
    ...laterSettings,
    ...numbers,
    env: { MARK: bulkName(at) },
    exposeErrors: false,
  };
}

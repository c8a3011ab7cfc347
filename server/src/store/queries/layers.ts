import type { Kysely } from "kysely";
import type { Layer } from "../../domain/function.ts";
import type { DeploymentTables } from "../tables.ts";

type Db = Kysely<DeploymentTables>;

/** Counts as a use of it. */
export async function getLayer(db: Db, key: string, nowMs: number): Promise<Layer | null> {
  const row = await db
    .updateTable("layers")
    .set({ used_at: nowMs })
    .where("key", "=", key)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return null;
  const { digest, bytes, entries, unpacked_bytes: unpackedBytes, place } = row;
  return { place, artifact: { digest, bytes, entries, unpackedBytes } };
}

export async function putLayer(db: Db, key: string, layer: Layer, nowMs: number): Promise<void> {
  const { digest, bytes, entries, unpackedBytes } = layer.artifact;
  const kept = { place: layer.place, digest, bytes, entries, unpacked_bytes: unpackedBytes };
  await db
    .insertInto("layers")
    .values({ key, ...kept, used_at: nowMs })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ ...kept, used_at: nowMs }))
    .execute();
}

/** Drops what was not used since `before`, then the longest unused until the rest has at most `bytesMax`. */
export async function trimLayers(
  db: Db,
  { before, bytesMax }: { before: number; bytesMax: number },
): Promise<number> {
  const rows = await db
    .selectFrom("layers")
    .select(["key", "bytes", "used_at"])
    .orderBy("used_at", "desc")
    .execute();
  let bytes = 0;
  const dropped = rows.filter((row) => {
    if (row.used_at < before) return true;
    bytes += row.bytes;
    return bytes > bytesMax;
  });
  for (const { key } of dropped) await db.deleteFrom("layers").where("key", "=", key).execute();
  return dropped.length;
}

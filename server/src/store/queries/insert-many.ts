import { setImmediate } from "node:timers/promises";

/** SQLite binds at most 32,766 values in one statement, PostgreSQL 65,535; shorter statements also let the event loop go on sooner. */
const VALUES_PER_STATEMENT = 8000;

/** Calls `insert` with pieces that fit one statement, in order, with a turn of the event loop between them. */
export async function insertMany<Row extends object>(
  rows: readonly Row[],
  insert: (piece: Row[]) => Promise<unknown>,
): Promise<void> {
  const perPiece = Math.floor(VALUES_PER_STATEMENT / Object.keys(rows[0] ?? { none: 0 }).length);
  for (let at = 0; at < rows.length; at += perPiece) {
    if (at > 0) await setImmediate();
    await insert(rows.slice(at, at + perPiece));
  }
}

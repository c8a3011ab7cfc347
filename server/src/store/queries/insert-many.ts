/** SQLite binds at most 32,766 values in one statement, PostgreSQL 65,535; shorter statements are also compiled sooner. */
const VALUES_PER_STATEMENT = 8000;

/** Cuts rows so that each piece fits one insert statement; equal pieces let the engine reuse the compiled statement. */
export function* piecesOf<Row extends object>(rows: readonly Row[]): Generator<Row[]> {
  const first = rows[0];
  if (!first) return;
  const perPiece = Math.floor(VALUES_PER_STATEMENT / Object.keys(first).length);
  for (let at = 0; at < rows.length; at += perPiece) yield rows.slice(at, at + perPiece);
}

import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** About 10 MiB in /tmp, which holds 64 MiB. */
const linksMax = 50_000;
const letters = "abcdefghijkmnopqrstuvwxyz23456789"; // without l, 0 and 1, which look like others
const codeLetters = 7;
const attemptsMax = 8;

const schema = `
  PRAGMA journal_mode = MEMORY;
  CREATE TABLE IF NOT EXISTS links (
    code TEXT PRIMARY KEY, target TEXT NOT NULL, created_at TEXT NOT NULL, visits INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

/** Links in a SQLite file of this sandbox. Nothing here waits, so calls that run at once cannot interleave inside. */
export function openLinks(file = join(tmpdir(), "links.db")) {
  const database = new DatabaseSync(file);
  database.exec(schema);
  const count = database.prepare("SELECT count(*) AS links FROM links");
  const read = database.prepare(
    "SELECT code, target, created_at, visits FROM links WHERE code = ?",
  );
  const insert = database.prepare("INSERT INTO links VALUES (?, ?, ?, 0)");
  const visited = database.prepare(
    "UPDATE links SET visits = visits + 1 WHERE code = ? RETURNING target",
  );
  return {
    /** The same target has the same code. Null when there is no room. */
    add(target, now) {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const code = codeOf(target, attempt);
        const found = read.get(code);
        if (found?.target === target) return { code, isNew: false };
        if (found !== undefined) continue;
        if (count.get().links >= linksMax) return null;
        insert.run(code, target, now.toISOString());
        return { code, isNew: true };
      }
      return null;
    },
    /** Counts a visit; null where there is no such link. */
    visit: (code) => visited.get(code)?.target ?? null,
    get(code) {
      const row = read.get(code);
      if (row === undefined) return null;
      return { code, target: row.target, createdAt: row.created_at, visits: row.visits };
    },
  };
}

/** Letters of a digest of the target; another attempt gives another code, for targets whose codes are equal. */
function codeOf(target, attempt) {
  const digest = createHash("sha256").update(`${attempt} ${target}`).digest();
  const chosen = digest.subarray(0, codeLetters);
  return Array.from(chosen, (byte) => letters[byte % letters.length]).join("");
}

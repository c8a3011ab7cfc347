import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";
import type { Store } from "../store/store.ts";
import { isSecretOf, makeApiKey, parseApiKey } from "./api-key.ts";
import { scopesAllow } from "./scopes.ts";

const FILE = "admin-key";
const FILE_BYTES_MAX = 1024;

export interface NewAdminKey {
  /** To be shown once. */
  key: string;
  /** The file that holds it, mode 0600. */
  path: string;
}

/**
 * Sees to it that `<dataDir>/admin-key` holds a working admin key, which the command line uses by default. Makes one at the first start, and also where the file is
 * lost or its key no longer works (revoked, expired, of another store): whoever may write the data folder owns the store anyway, and being locked out helps no one.
 * Older keys stay as they are. Null when the file's key works.
 */
export async function ensureAdminKey(
  store: Pick<Store, "getKey" | "createKey">,
  dataDir: string,
  clock: Pick<Clock, "wall">,
): Promise<NewAdminKey | null> {
  const path = join(dataDir, FILE);
  if (await holdsWorkingKey(store, path, clock)) return null;
  const { id, text, secretHash } = makeApiKey();
  const rights = { scopes: ["admin" as const], project: null };
  await store.createKey({ id, name: FILE, ...rights, secretHash, expiresAt: null });
  await writeSecret(dataDir, path, `${text}\n`);
  return { key: text, path };
}

async function holdsWorkingKey(
  store: Pick<Store, "getKey">,
  path: string,
  clock: Pick<Clock, "wall">,
): Promise<boolean> {
  const key = parseApiKey((await readShort(path)).trim());
  if (key === null) return false;
  const row = await store.getKey(key.id);
  if (row === null || row.revokedAt !== null || row.project !== null) return false;
  if (row.expiresAt !== null && row.expiresAt <= clock.wall()) return false;
  return isSecretOf(key.secret, row.secretHash) && scopesAllow(row.scopes, "admin");
}

/** Empty where there is no file. */
async function readShort(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    return bytes.length > FILE_BYTES_MAX ? "" : bytes.toString("utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** Whole or not at all, also after a power cut; never readable by others. */
async function writeSecret(dir: string, path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

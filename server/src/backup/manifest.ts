import { Type, type Static } from "typebox";
import { Value } from "typebox/value";
import { IsolaError } from "../errors.ts";

/** The first entry of an archive. What follows are the files that it names, in its order and nothing else. */
export const MANIFEST = "manifest.json";
export const DEPLOYMENTS = "isola.db";
export const RECORDS = "isola-records.db";
export const ADMIN_KEY = "admin-key";

const FORMAT = "isola-backup";
const FORMAT_VERSION = 1;
export const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
const ARTIFACT = /^artifacts\/([0-9a-f]{64})\.tar$/;

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const File = Type.Object({
  name: Type.String({ maxLength: 100 }),
  bytes: count,
  sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
});
const Manifest = Type.Object({
  format: Type.Literal(FORMAT),
  version: Type.Literal(FORMAT_VERSION),
  /** ISO 8601. */
  createdAt: Type.String({ maxLength: 40 }),
  /** Version of the Isola that wrote it. */
  isola: Type.String({ maxLength: 40 }),
  files: Type.Array(File, { maxItems: 1_000_000 }),
});

export type BackupFile = Static<typeof File>;
export type Manifest = Static<typeof Manifest>;

export function newManifest(about: { isola: string; atMs: number }, files: BackupFile[]): Manifest {
  const createdAt = new Date(about.atMs).toISOString();
  return { format: FORMAT, version: FORMAT_VERSION, createdAt, isola: about.isola, files };
}

export function artifactName(digest: string): string {
  return `artifacts/${digest}.tar`;
}

/** Null for what is no artifact. */
export function digestOf(name: string): string | null {
  return ARTIFACT.exec(name)?.[1] ?? null;
}

/** Throws `invalid_backup` where it is none, is of a later format, or names a file that no backup has or the same twice. */
export function parseManifest(text: string): Manifest {
  const value = parseJson(text) as { format?: unknown; version?: unknown } | null;
  if (value?.format !== FORMAT) throw invalidBackup(`its ${MANIFEST} is not that of a backup`);
  if (value.version !== FORMAT_VERSION) {
    const given = JSON.stringify(value.version)?.slice(0, 40);
    throw invalidBackup(
      `its format is ${given}, this version of Isola reads ${FORMAT_VERSION}: restore it with the Isola that wrote it`,
    );
  }
  if (!Value.Check(Manifest, value)) throw invalidBackup(`its ${MANIFEST} is malformed`);
  checkNames(value.files);
  return value;
}

function checkNames(files: BackupFile[]): void {
  const names = new Set(files.map(({ name }) => name));
  if (names.size !== files.length) throw invalidBackup("it names a file twice");
  if (!names.has(DEPLOYMENTS)) throw invalidBackup(`it holds no ${DEPLOYMENTS}`);
  for (const { name, sha256 } of files) {
    const digest = digestOf(name);
    if (digest === null && name !== DEPLOYMENTS && name !== RECORDS && name !== ADMIN_KEY)
      throw invalidBackup(`it names ${JSON.stringify(name)}, which no backup holds`);
    if (digest !== null && digest !== sha256)
      throw invalidBackup(`${name} is named for other contents`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidBackup(`its ${MANIFEST} is not JSON`);
  }
}

/** `why` goes on after "the backup cannot be used: ". */
export function invalidBackup(why: string, cause?: unknown): IsolaError {
  return new IsolaError("invalid_backup", `the backup cannot be used: ${why}`, { cause });
}

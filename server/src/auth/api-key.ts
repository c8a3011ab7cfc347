import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** `isola_<id>_<secret>`: the id finds the row, the secret (256 bits, hex) proves it. Only the secret's SHA-256 is kept. */
export interface ApiKey {
  id: string;
  secret: string;
}

const SHAPE = /^isola_([A-Za-z0-9]{1,64})_([A-Za-z0-9]{32,128})$/;
const SECRET_BYTES = 32;
const ID_BYTES = 8;

export function makeApiKey(): ApiKey & { text: string; secretHash: string } {
  const id = randomBytes(ID_BYTES).toString("hex");
  const secret = randomBytes(SECRET_BYTES).toString("hex");
  return { id, secret, text: `isola_${id}_${secret}`, secretHash: hashSecret(secret) };
}

/** null where the text is no key at all. */
export function parseApiKey(text: string): ApiKey | null {
  const match = SHAPE.exec(text);
  return match === null ? null : { id: match[1] as string, secret: match[2] as string };
}

export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Takes the same time whatever differs. */
export function isSecretOf(secret: string, secretHash: string): boolean {
  const given = Buffer.from(hashSecret(secret), "hex");
  const kept = Buffer.from(secretHash, "hex");
  return kept.length === given.length && timingSafeEqual(given, kept);
}

export type ArchiveType = "zip" | "gzip" | "tar";

const known: [bytes: string, what: string][] = [
  ["504b0304", "zip"],
  ["504b0506", "zip"],
  ["1f8b", "gzip"],
  ["28b52ffd", "a zstd file"],
  ["fd377a585a00", "an xz file"],
  ["425a68", "a bzip2 file"],
  ["377abcaf271c", "a 7z archive"],
  ["526172211a07", "a rar archive"],
  ["7f454c46", "an ELF program"],
  ["4d5a", "a Windows program"],
  ["25504446", "a PDF"],
  ["89504e47", "a PNG image"],
  ["504b", "a part of a split zip archive"],
];

/** Bytes from the start that `sniff` wants to see. */
export const SNIFF_BYTES = 512;

/** What a file is by its first bytes: a type that is taken, or words for what it seems to be instead. */
export function sniff(head: Buffer): { type: ArchiveType } | { type: null; seems: string } {
  if (head.length === 0) return { type: null, seems: "nothing (0 bytes)" };
  const hex = head.toString("hex");
  const found = known.find(([bytes]) => hex.startsWith(bytes))?.[1];
  if (found === "zip" || found === "gzip") return { type: found };
  if (head.toString("latin1", 257, 262) === "ustar") return { type: "tar" };
  if (found) return { type: null, seems: found };
  return { type: null, seems: seemsText(head) ? "text" : "a file of an unknown kind" };
}

function seemsText(head: Buffer): boolean {
  return !head.some((byte) => byte < 9 || (byte > 13 && byte < 32) || byte === 127);
}

const BLOCK = 512;

export interface PackageFile {
  path: string;
  bytes: Uint8Array;
}

/** The files of a tar as the API gives one: ustar, and pax records where a path does not fit. Throws where it is cut. */
export function readTar(tar: Uint8Array): PackageFile[] {
  const files: PackageFile[] = [];
  let longPath: string | null = null;
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const size = Number.parseInt(text(header, 124, 12).trim() || "0", 8);
    const start = at + BLOCK;
    if (!(size >= 0) || start + size > tar.length) throw new Error("the archive is cut or damaged");
    const content = tar.subarray(start, start + size);
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "x") longPath = paxPath(content);
    else {
      const prefix = text(header, 345, 155);
      const short = `${prefix === "" ? "" : `${prefix}/`}${text(header, 0, 100)}`;
      if (type === "0" || type === "\0") files.push({ path: longPath ?? short, bytes: content });
      longPath = null;
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

/** Records are `<length> <key>=<value>\n`, the length in bytes of all of it. */
function paxPath(content: Uint8Array): string | null {
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(32, at);
    const length = Number(new TextDecoder().decode(content.subarray(at, space)));
    if (space === -1 || !(length > 0)) return null;
    const record = new TextDecoder().decode(content.subarray(space + 1, at + length - 1));
    if (record.startsWith("path=")) return record.slice("path=".length);
    at += length;
  }
  return null;
}

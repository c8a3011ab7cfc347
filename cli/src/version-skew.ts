import { readFileSync } from "node:fs";

const SHOWN_CHARS_MAX = 40;

/** Of this command line. */
export function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** A line for a person where the server is of another minor version: the API is the same within one. Null where it is not, or the server does not say. */
export function skewNote(own: string, servers: string | null): string | null {
  if (servers === null || minorOf(servers) === minorOf(own)) return null;
  const shown = servers.slice(0, SHOWN_CHARS_MAX);
  return `this is isola ${own}, the server is ${shown}: what one knows the other may not; use the command line of the server's version`;
}

/** `0.1.0` is of `0.1`. */
function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

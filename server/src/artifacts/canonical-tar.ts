import { once } from "node:events";
import { pack, type Header, type Pack } from "tar-stream";
import { tarName, type FileEntry, type FolderEntry } from "./package-tree.ts";
import type { Spool } from "./spool.ts";

const EXECUTABLE = 0o755;
const PLAIN = 0o644;
const CHUNK_BYTES = 256 * 1024;

/**
 * The one tar for given contents: ustar (a pax record with the path where that is too long or not ASCII), entries sorted by the bytes of their names,
 * every folder with an entry of its own, time 0, owner 0, modes 0644 and 0755. Equal contents give equal bytes, whatever they were packed with.
 */
export function canonicalTar(
  entries: (FolderEntry | FileEntry)[],
  spool: Spool,
): AsyncIterable<Buffer> {
  const tar = pack();
  fill(tar, entries, spool).then(
    () => tar.finalize(),
    (error: Error) => tar.destroy(error),
  );
  return joined(tar as AsyncIterable<Buffer>);
}

/** Few large chunks in place of many small ones: a file of ten bytes is three chunks in a tar. */
async function* joined(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    pending.push(chunk);
    bytes += chunk.length;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(pending);
    pending = [];
    bytes = 0;
  }
  yield Buffer.concat(pending);
}

async function fill(tar: Pack, entries: (FolderEntry | FileEntry)[], spool: Spool): Promise<void> {
  for (const entry of entries) {
    if (entry.kind === "folder") {
      await finished((done) =>
        tar.entry(headerOf(tarName(entry), "directory", EXECUTABLE, 0), done),
      );
    } else {
      await fillFile(tar, entry, spool);
    }
  }
}

async function fillFile(tar: Pack, file: FileEntry, spool: Spool): Promise<void> {
  const mode = file.isExecutable ? EXECUTABLE : PLAIN;
  const header = headerOf(tarName(file), "file", mode, file.bytes);
  const sink = Promise.withResolvers<undefined>();
  const entry = tar.entry(header, (error) =>
    error ? sink.reject(error) : sink.resolve(undefined),
  );
  sink.promise.catch(() => {}); // awaited below; a failure while a chunk is read must not count as unhandled
  for await (const chunk of spool.read(file.start, file.bytes)) {
    if (!entry.write(chunk)) await Promise.race([once(entry, "drain"), sink.promise]);
  }
  entry.end(null);
  await sink.promise;
}

function headerOf(name: string, type: "file" | "directory", mode: number, size: number) {
  return { name, type, mode, size, mtime: new Date(0), uid: 0, gid: 0 } satisfies Partial<Header>;
}

function finished(run: (done: (error?: Error | null) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(error) : resolve()));
  });
}

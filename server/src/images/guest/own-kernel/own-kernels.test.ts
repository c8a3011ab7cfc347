import assert from "node:assert/strict";
import { readFile, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { GuestWork } from "../guest-work.ts";
import { Parts } from "../parts.ts";
import { OwnKernels } from "./own-kernels.ts";
import { type StandInTools, standInTools } from "./stand-in-tools.fixture.ts";

const root = fileURLToPath(new URL("../../../../..", import.meta.url));

function opened({ folder, source }: StandInTools, given: { source?: string } = {}) {
  const parts = new Parts(folder);
  return { parts, own: new OwnKernels({ root, parts, source, ...given }) };
}

function work(onProgress: (line: string) => void = () => {}): GuestWork & { end(): void } {
  const ending = new AbortController();
  return { onProgress, signal: ending.signal, end: () => ending.abort() };
}

/** Resolves with what begins with these words, once it is told. */
function told(words: string) {
  const heard = Promise.withResolvers<string>();
  const onProgress = (line: string) => {
    if (line.startsWith(words)) heard.resolve(line);
  };
  return { onProgress, line: heard.promise };
}

/** `-`: there is no such process. */
async function stateOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "0 (none) -");
  return text.slice(text.lastIndexOf(")") + 2)[0] as string;
}

describe("a kernel that is built here", { timeout: 60_000 }, () => {
  test("is one part, found again for the same configuration, source and compiler", async (t) => {
    const tools = await standInTools(t);
    const { own } = opened(tools);
    assert.equal(await own.current(), null);
    const lines: string[] = [];
    const part = await own.build(
      work((line) => lines.push(line)),
      false,
    );
    assert.equal(part.text, `6.1.999-isola, built here of ${tools.source}`);
    assert.deepEqual(
      part.files.map(({ name }) => name),
      ["vmlinuz"],
    );
    assert.deepEqual(lines, [
      "configuring Linux 6.1.999",
      ...["100", "200"].map((n) => `compiled ${n} files, the last kernel/${n}.o`),
    ]);
    assert.deepEqual(await own.current(), part);
    // Whoever compiles again fails now.
    await writeFile(join(tools.programs, "make"), "#!/bin/sh\nexit 9\n");
    assert.equal((await own.build(work(), false)).name, part.name);
    await assert.rejects(own.build(work(), true), /failed \(9\)/);
    await writeFile(join(tools.programs, "gcc"), "#!/bin/sh\necho another\n");
    await assert.rejects(own.build(work(), false), /failed \(9\)/);
    assert.deepEqual(await readdir(tools.folder), [part.name]);
  });

  test("has an archive for its source, too, by what is in it", async (t) => {
    const tools = await standInTools(t);
    const { own, parts } = opened(tools, { source: tools.archive });
    const part = await own.build(work(), false);
    await writeFile(`${tools.archive}.copy`, await readFile(tools.archive));
    const other = new OwnKernels({ root, parts, source: `${tools.archive}.copy` });
    await writeFile(join(tools.programs, "make"), "#!/bin/sh\nexit 9\n");
    assert.equal((await other.build(work(), false)).name, part.name);
  });

  test("fails where an option of the configuration did not take, by its name", async (t) => {
    const configure = 'grep -v "VMGENID\\|EROFS" "$CONFIG" > "$O/.config"';
    const tools = await standInTools(t, { configure });
    await assert.rejects(opened(tools).own.build(work(), false), {
      code: "driver_unavailable",
      message:
        /linux does not take the configuration .*: CONFIG_VMGENID=y \(it is n\), CONFIG_EROFS_FS=y \(it is n\)$/,
    });
    assert.deepEqual(await readdir(tools.folder), []);
  });

  test("fails without its tools, with the one command that installs them", async (t) => {
    const tools = await standInTools(t);
    await symlink("/bin/sh", join(tools.programs, "sh"));
    process.env.PATH = tools.programs;
    for (const name of ["flex", "lz4c"]) await rm(join(tools.programs, name));
    // No header is there for this one.
    await writeFile(join(tools.programs, "gcc"), '#!/bin/sh\ncase "$3" in gelf.h) exit 1;; esac\n');
    await assert.rejects(opened(tools).own.build(work(), false), {
      code: "driver_unavailable",
      message:
        "a kernel is not built without flex, lz4c, tar, gelf.h: apt-get install -y flex libelf-dev lz4 tar",
    });
  });

  test("fails of a source that is damaged, missing or none, and leaves nothing", async (t) => {
    const tools = await standInTools(t);
    const empty = join(tools.folder, "..", "empty");
    await writeFile(join(tools.source, "Makefile"), "all:\n");
    await truncate(tools.archive, 60);
    for (const [source, why] of [
      [tools.archive, /tar failed \(2\)/],
      [tools.source, /linux holds no source of Linux: expected a Makefile/],
      [empty, /empty cannot be read: ENOENT/],
    ] as const)
      await assert.rejects(opened(tools, { source }).own.build(work(), false), (error: Error) => {
        assert.match(error.message, why);
        return true;
      });
    assert.deepEqual(await readdir(tools.folder), []);
  });

  test("tells the last words of a compiler that fails", async (t) => {
    const compile = 'echo "kernel/fork.c:1: error: no such thing" >&2; exit 2';
    const tools = await standInTools(t, { compile });
    await assert.rejects(opened(tools).own.build(work(), false), {
      code: "driver_unavailable",
      message: /failed \(2\); it said last:\n {2}kernel\/fork\.c:1: error: no such thing/,
    });
    assert.deepEqual(await readdir(tools.folder), []);
  });

  test("is not built on when its caller goes, and nothing of it is left", async (t) => {
    const compile = "sleep 600 & echo pid $! >&2; wait";
    const tools = await standInTools(t, { compile });
    const { own } = opened(tools);
    for (const end of ["caller", "removal"]) {
      const { onProgress, line } = told("pid ");
      const asked = work(onProgress);
      const building = own.build(asked, false);
      building.catch(() => {}); // looked at below
      const pid = Number((await line).slice("pid ".length));
      if (end === "caller") asked.end();
      else assert.deepEqual(await own.remove(), []);
      await assert.rejects(building, { code: end === "caller" ? "shutting_down" : "conflict" });
      // Killed, it may not have been waited for yet.
      assert.match(await stateOf(pid), /^[ZX-]$/);
      assert.deepEqual(await readdir(tools.folder), []);
    }
  });

  test("goes away when it is removed", async (t) => {
    const tools = await standInTools(t);
    const { own, parts } = opened(tools);
    const distributions = await parts.make("kernel", "other", async (folder) => {
      await writeFile(join(folder, "vmlinuz"), "x");
      return "6.1.0";
    });
    const { name } = await own.build(work(), false);
    assert.deepEqual(await own.remove(), [name]);
    assert.equal(await own.current(), null);
    assert.deepEqual(await readdir(tools.folder), [distributions.name]);
  });
});

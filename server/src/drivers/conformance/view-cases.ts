import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { soon } from "./session.ts";
import type { Room, Stand } from "./stand.ts";

/** Places that a sandbox made of parts of the host must not show; one with an image has its own. */
function hostPaths({ options }: Stand): string[] {
  if (options.hasOwnImage) return ["/var/run/docker.sock", "/etc/shadow-", "/usr/bin/sh"];
  const paths = ["/etc/shadow", "/root", "/usr/bin", "/usr/sbin", "/bin", "/home"];
  return [...paths, "/var/run", "/var/lib", "/sys", "/run", "/boot", "/var/log"];
}

/** Connects to the first of the paths that is there, then tries to do away with it. */
const dialling = `
import { existsSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
const codeOf = (work) => { try { work(); return "done"; } catch (error) { return error.code; } };
export const handler = async ({ paths }) => {
  const path = paths.find((one) => existsSync(one));
  if (path === undefined) return ["none"];
  const said = await new Promise((resolve) => {
    const socket = connect(path);
    socket.on("data", (bytes) => resolve(String(bytes)));
    socket.on("error", (error) => resolve(error.code));
  });
  return [said, codeOf(() => unlinkSync(path)), codeOf(() => renameSync(path, path + ".old")), codeOf(() => writeFileSync(path + ".new", ""))];
};`;

/** A socket that says a word to who connects, as any user may, until `use` has ended; and where a sandbox shall have it. */
async function withPlatformSocket(use: (from: string, at: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "isola-conformance-"));
  await chmod(folder, 0o711);
  const from = join(folder, "platform.sock");
  const server = createServer((socket) => socket.end("from the platform"));
  await new Promise<void>((resolve) => server.listen(from, () => resolve()));
  try {
    await chmod(from, 0o666);
    await use(from, "/opt/isola/platform.sock");
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
}

/** What code in a sandbox can see and reach. */
export function viewCases(stand: Stand): void {
  stand.case(
    "sockets",
    "a socket of the platform can be connected to; a sandbox that was given none has none",
    async (room) => {
      await withPlatformSocket(async (from, at) => {
        const session = await room.withSockets([{ from, at }]);
        await session.init({ "index.mjs": dialling }, "index.handler");
        const event = { paths: [at, from] };
        const [said] = await session.invoke<string[]>(event);
        assert.equal(said, "from the platform");
        const other = await room.blank();
        await other.init({ "index.mjs": dialling }, "index.handler");
        assert.deepEqual(await other.invoke({ paths: [at] }), ["none"]);
      });
    },
  );

  stand.case(
    "socket-files",
    "a socket of the platform cannot be removed, moved or replaced from inside",
    async (room) => {
      await withPlatformSocket(async (from, at) => {
        const session = await room.withSockets([{ from, at }]);
        await session.init({ "index.mjs": dialling }, "index.handler");
        const [, ...attempts] = await session.invoke<string[]>({ paths: [at] });
        assert.equal(attempts.length, 3);
        assert.ok(!attempts.includes("done"), attempts.join());
        assert.ok(existsSync(from));
        const other = await room.blank();
        await other.init({ "index.mjs": dialling }, "index.handler");
        assert.deepEqual(await other.invoke({ paths: [at, from] }), ["none"]);
      });
    },
  );

  stand.case(
    "neighbours",
    "two sandboxes see neither each other's files nor processes",
    async (room) => {
      const [one, two] = await Promise.all([room.ready(), room.ready()]);
      assert.deepEqual(await one.invoke({ op: "write", paths: ["/tmp/mine"] }), ["done"]);
      assert.deepEqual(await two.invoke({ op: "read", paths: ["/tmp/mine"] }), ["ENOENT"]);
      const [pidsOne, pidsTwo] = await Promise.all(
        [one, two].map((each) => each.invoke<number[]>({ op: "pids" })),
      );
      // The one that reaps and waits, and the runtime.
      for (const pids of [pidsOne, pidsTwo]) assert.deepEqual([pids?.[0], pids?.length], [1, 2]);
    },
  );

  stand.case("host-files", "files of the host are not there", async (room) => {
    const folder = await mkdtemp(join(tmpdir(), "isola-conformance-"));
    try {
      await writeFile(join(folder, "secret"), "secret");
      const session = await room.ready();
      const paths = [homedir(), join(folder, "secret"), import.meta.dirname, ...hostPaths(stand)];
      const answers = await session.invoke<string[]>({ op: "read", paths });
      // The sandbox has a /tmp of its own, which may be where this process is at home.
      const seen = paths.filter((path, at) => path !== "/tmp" && answers[at] !== "ENOENT");
      assert.deepEqual(seen, stand.leaves("link-to-shell") ? ["/usr/bin/sh"] : []);
      assert.doesNotMatch(
        await session.invoke({ op: "text", path: "/etc/passwd" }),
        /tester|daemon|www-data/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  stand.case("network", "the network ends at the sandbox's own loopback", async (room) => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, () => resolve()));
    const { port } = server.address() as { port: number };
    try {
      const session = await room.ready();
      const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
      for (const host of ["127.0.0.1", "::1", ...addresses.map((each) => each.address)]) {
        const answer = await soon(session.invoke({ op: "connect", host, port }), "connect");
        assert.notEqual(answer, "connected", `${host}:${port}`);
      }
    } finally {
      server.close();
    }
  });

  stand.case("descriptors", "no descriptor is inherited but 0 to 3", async (room) => {
    const session = await room.ready();
    const all = await session.invoke<string[]>({ op: "descriptors" });
    // What the runtime opened itself (epoll, event and timer descriptors, pipes between its threads) names no file of the host.
    const foreign = all.filter((each) => {
      const [number, target] = each.split(" ") as [string, string | undefined];
      return (
        Number(number) > 3 &&
        target !== undefined &&
        !/^(anon_inode:|pipe:|socket:|\/proc|\/dev\/null)/.test(target)
      );
    });
    assert.deepEqual(foreign, []);
    // The control stream, and its output where that is a socket too.
    // gVisor calls by `host` what it was given.
    const sockets = all.filter((each) => / (socket|host):/.test(each));
    const further = sockets.filter((each) => !/^([12] |0 host:)/.test(each));
    const expected = stand.leaves("control-socket") ? 0 : 1;
    assert.equal(further.length, expected, sockets.join(", "));
  });

  stand.case("environment", "the environment holds nothing of the host", async (room) => {
    process.env.ISOLA_CONFORMANCE_SECRET = "secret";
    try {
      const session = await room.ready();
      const env = await session.invoke<Record<string, string>>({ op: "env" });
      assert.equal(JSON.stringify(env).includes("secret"), false);
      const foreign = Object.keys(env).filter(
        (name) => name in process.env && env[name] === process.env[name],
      );
      const usual = ["PATH=", "LANG=", "TZ=", "LC_ALL=", "HOME=/tmp"];
      const isUsual = (name: string) =>
        usual.some((each) => `${name}=${env[name]}`.startsWith(each));
      assert.deepEqual(
        foreign.filter((name) => !isUsual(name)),
        [],
      );
      // What starts the interpreter is no business of the function.
      for (const name of ["ISOLA_CONTROL", "MALLOC_ARENA_MAX"]) assert.equal(env[name], undefined);
    } finally {
      delete process.env.ISOLA_CONFORMANCE_SECRET;
    }
  });

  writeCases(stand);
}

function writeCases(stand: Stand): void {
  stand.case("read-only", "nothing outside of the private folders can be written", async (room) => {
    const session = await room.ready();
    const folders = [
      "/",
      "/usr",
      "/usr/lib",
      "/etc",
      "/opt/isola",
      "/opt/isola/bin",
      "/opt/isola/runtimes/node",
      "/dev",
      "/proc",
      "/proc/sys/kernel",
    ];
    const paths = folders.map((folder) => join(folder, "planted"));
    const answers = await session.invoke<string[]>({ op: "write", paths });
    assert.deepEqual(
      paths.filter((_, at) => answers[at] === "done"),
      [],
    );
    for (const file of [
      "/etc/passwd",
      "/opt/isola/bin/node",
      "/proc/sys/kernel/core_pattern",
      "/proc/sysrq-trigger",
    ])
      assert.match(
        (await session.invoke<string[]>({ op: "write", paths: [file] }))[0] as string,
        /^E/,
      );
  });

  stand.case(
    "tmp-size",
    "a full /tmp is an error in the code, and the sandbox lives",
    async (room) => {
      const session = await room.ready();
      assert.equal(await session.invoke({ op: "fill", path: "/tmp/full" }), "ENOSPC");
      assert.deepEqual(await session.invoke({ op: "echo", value: 1 }), {
        value: 1,
        greeting: "hello",
      });
    },
  );

  stand.case(
    "privileges",
    "there are no capabilities, no way to new ones, and no root",
    async (room) => {
      const status = await statusOf(room);
      requireNoRights(stand, status);
      assert.match(status, /Uid:\s+65534\s+65534/);
    },
  );

  stand.case("open-files", "open files are limited, and there are no core files", async (room) => {
    const session = await room.ready();
    const limits = await session.invoke<string>({ op: "limits" });
    assert.match(limits, /Max open files\s+1024\s+1024/);
    assert.match(limits, /Max core file size\s+0\s+0/);
  });
}

/** Of a text like `/proc/self/status`: no capability, and no way to a new one. */
export function requireNoRights(stand: Stand, status: string): void {
  for (const name of ["CapInh", "CapPrm", "CapEff", "CapBnd"])
    assert.match(status, new RegExp(`${name}:\\s+0+\\n`));
  for (const [part, line, wanted] of [
    ["line-ambient", /CapAmb:/, /CapAmb:\s+0+\n/],
    ["line-no-new-privs", /NoNewPrivs:/, /NoNewPrivs:\s+1/],
  ] as const)
    if (stand.leaves(part)) assert.doesNotMatch(status, line, `${part} need not be left out`);
    else assert.match(status, wanted);
}

async function statusOf(room: Room): Promise<string> {
  const session = await room.ready();
  return await session.invoke<string>({ op: "status" });
}

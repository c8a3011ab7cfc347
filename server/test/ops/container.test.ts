import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { ensureConsole } from "../../../setup/console.mjs";
import { skipDocker } from "../../src/drivers/docker/testing/docker-stand.ts";
import { findProgram } from "../../src/drivers/find-program.ts";
import { imageContext } from "./image-context.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const compose = parse(readFileSync(join(root, "ops/container/compose.yaml"), "utf8")).services
  .isola;
/** What node:26-bookworm-slim has of them, and what the Dockerfile adds. `ldd` is a script of bash. */
const packages =
  "bash,bubblewrap,ca-certificates,coreutils,dash,libatomic1,libc-bin,libstdc++6,python3";
const docker = findProgram("docker");
const READY_MS_MAX = 60_000;

function skipOf(): string | false {
  if (skipDocker) return skipDocker;
  if (docker === null) return "the command docker is missing: apt-get install docker.io";
  if (findProgram("mmdebstrap") === null)
    return "mmdebstrap is missing: apt-get install mmdebstrap";
  return false;
}

/** Resolves with what it said; rejects with that where it fails. */
function run(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DOCKER_BUILDKIT: "0" };
    const options = { env, timeout: 150_000, maxBuffer: 16 * 1_048_576 };
    execFile(command, args, options, (error, out, err) => {
      // Containers tell their log on stderr.
      if (error === null) resolve(args[0] === "logs" ? out + err : out.trim());
      else reject(new Error(`${command} ${args.slice(0, 3).join(" ")}: ${out}${err}`));
    });
  });
}

const ask = (...args: string[]) => run(docker as string, args);

/** A base without a registry: kept in the engine of the tests, as the bases of sandboxes are. */
async function ensureBase(): Promise<string> {
  const digest = createHash("sha256").update(packages).digest("hex").slice(0, 12);
  const name = `isola-test-server-base:${digest}`;
  if ((await ask("images", "-q", name)) !== "") return name;
  const dir = mkdtempSync(join(tmpdir(), "isola-base-"));
  try {
    const tar = join(dir, "root.tar");
    const sources = readdirSync("/etc/apt/sources.list.d")
      .filter((file) => /^debian\.sources$|^sources\.list$/.test(file))
      .map((file) => join("/etc/apt/sources.list.d", file));
    const hooks = ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--skip=output/dev"];
    const what = ["--variant=extract", "--format=tar", ...hooks, `--include=${packages}`];
    await run("mmdebstrap", [...what, "bookworm", tar, ...sources]);
    await ask("import", tar, name);
  } finally {
    rmSync(dir, { recursive: true });
  }
  return name;
}

/** As `docker build` of a checkout, whose dependencies and console are there already. */
async function build(base: string, name: string): Promise<void> {
  const tar = spawn("tar", ["-c", "-C", root, "--no-recursion", "-T", "-"]);
  const args = ["build", "-q", "--network=none", "-f", "ops/container/Dockerfile"];
  const into = [...args, "--build-arg", `BASE=${base}`, "-t", name, "-"];
  const env = { ...process.env, DOCKER_BUILDKIT: "0" };
  const building = spawn(docker as string, into, { env, stdio: ["pipe", "pipe", "pipe"] });
  tar.stdout.pipe(building.stdin);
  tar.stdin.end(imageContext(root).join("\n"));
  await Promise.all([ended(tar, "tar"), ended(building, "docker build")]);
}

async function ended(child: ChildProcess, name: string): Promise<void> {
  let said = "";
  for (const stream of [child.stderr, name === "tar" ? null : child.stdout])
    stream?.on("data", (text) => {
      said = (said + String(text)).slice(-5000);
    });
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 0, `${name}: ${said}`);
}

describe("Isola in a container", { skip: skipOf(), timeout: 280_000 }, () => {
  const id = randomBytes(4).toString("hex");
  const [image, container, volume] = [`isola-test-server:${id}`, `isola-${id}`, `isola-${id}`];
  const inside = (...args: string[]) => ask("exec", container, "node", ...args);
  const isola = (...args: string[]) => inside("/opt/isola/cli/isola.mjs", ...args);
  const call =
    "fetch('http://127.0.0.1:8080/hello-js?name=box').then(r => r.text()).then(console.log)";

  before(async () => {
    // What lies there is taken as it is where it is of these sources.
    await ensureConsole(process.execPath, () => {});
    await build(await ensureBase(), image);
  });
  after(async () => {
    await ask("rm", "-f", container).catch(() => {}); // it was never made
    await ask("volume", "rm", "-f", volume);
    await ask("rmi", "-f", image);
  });

  /** With what compose.yaml says of it, apart from ports. */
  async function start(): Promise<void> {
    const security = compose.security_opt.flatMap((one: string) => ["--security-opt", one]);
    const drops = compose.cap_drop.flatMap((one: string) => ["--cap-drop", one]);
    const env = Object.entries(compose.environment).flatMap(([name, value]) => [
      "-e",
      `${name}=${value}`,
    ]);
    const [, place] = compose.volumes[0].split(":");
    const options = [...security, ...drops, ...env, "--network=none", "--init"];
    await ask("run", "-d", "--name", container, ...options, "-v", `${volume}:${place}`, image);
    await ready();
  }

  async function ready(): Promise<void> {
    const endMs = Date.now() + READY_MS_MAX;
    for (;;) {
      const problem = await inside("/opt/isola/ops/container/healthcheck.mjs").then(
        () => null,
        (error: Error) => error,
      );
      if (problem === null) return;
      if (Date.now() > endMs)
        throw new Error(`${problem.message}\n${await ask("logs", container)}`);
    }
  }

  test("runs as nobody, isolates functions, and answers", async () => {
    await start();
    assert.match(await ask("exec", container, "cat", "/proc/1/status"), /^CapEff:\t0{16}$/m);
    assert.match(await ask("exec", container, "cat", "/proc/1/status"), /^Uid:\t10001\t/m);
    const { drivers } = JSON.parse(await isola("doctor", "--json"));
    const { isAvailable, tier } = drivers.find((one: { name: string }) => one.name === "process");
    assert.deepEqual([isAvailable, tier], [true, "namespaces"]);
    await isola("deploy", "/opt/isola/examples/hello-js", "--yes");
    assert.match(await inside("-e", call), /Hello, box!/);
  });

  test("stops cleanly, and has its functions again at the next start", async () => {
    const seconds = /^(\d+)s$/.exec(compose.stop_grace_period)?.[1] as string;
    await ask("stop", "-t", seconds, container);
    assert.equal(await ask("inspect", "-f", "{{.State.ExitCode}}", container), "0");
    await ask("rm", container);
    await start();
    assert.match(await inside("-e", call), /Hello, box!/);
  });
});

/**
 * A stand-in for Firecracker's jailer. It plays its arguments and their checks, `--version`, the folder `<base>/<program>/<id>/root` with the program's copy and owner, the clean
 * environment, and the way it becomes the program.
 * It does not play what needs the real one: it changes neither root (the program is left in the folder, where relative paths are the same) nor user (the program is told which one it
 * should be, and looks at files as he may), and makes no devices, control groups and resource limits.
 */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { type Given, type Known, checkId, parseArguments, required } from "./arguments.ts";

const known: Known = {
  ...{ id: "value", "exec-file": "value", uid: "value", gid: "value", netns: "value" },
  ...{ "chroot-base-dir": "value", "parent-cgroup": "value", "cgroup-version": "value" },
  ...{ cgroup: "values", "resource-limit": "values" },
  ...{ daemonize: "flag", "new-pid-ns": "flag" },
};
/** Made and given to the user, as are the root itself and its `run`. */
const folders = ["dev", "dev/net", "run"];

/** The first is that of every stand-in, and says nothing to a jailer. */
const args = process.argv.slice(3);

function userId(given: Given, name: string): number {
  const text = required(given, name);
  if (!/^\d+$/.test(text) || Number(text) >= 2 ** 32) throw new Error(`Invalid ${name}: ${text}`);
  return Number(text);
}

function checkLimits(given: Given): void {
  for (const limit of given.values.get("resource-limit") ?? []) {
    const [name, value] = limit.split("=");
    if (value === undefined) throw new Error(`Invalid format for resources limits: ${limit}`);
    if (name !== "fsize" && name !== "no-file")
      throw new Error(`Invalid resource argument: ${limit}`);
    if (!/^\d+$/.test(value))
      throw new Error(`Invalid limit value for resource: ${value}: invalid digit found in string`);
  }
}

function programOf(given: Given): string {
  const path = realpathSync(required(given, "exec-file"));
  if (!statSync(path).isFile()) throw new Error(`${path} is not a file`);
  return path;
}

function baseOf(given: Given): string {
  const base = realpathSync(given.values.get("chroot-base-dir")?.[0] ?? "/srv/jailer");
  if (!statSync(base).isDirectory()) throw new Error(`${base} is not a directory`);
  return base;
}

function run(given: Given): void {
  const id = required(given, "id");
  checkId(id);
  const program = programOf(given);
  const base = baseOf(given);
  const [uid, gid] = [userId(given, "uid"), userId(given, "gid")];
  checkLimits(given);
  const root = join(base, basename(program), id, "root");
  mkdirSync(root, { recursive: true });
  const copied = join(root, basename(program));
  if (existsSync(copied) && lstatSync(copied).nlink > 1)
    throw new Error(`Detected hard link at: ${copied}`);
  copyFileSync(program, copied);
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  for (const folder of ["", ...folders]) {
    chmodSync(join(root, folder), 0o700);
    chownSync(join(root, folder), uid, gid);
  }
  chownSync(copied, uid, gid);
  process.chdir(root);
  writeFileSync(`${basename(program)}.pid`, String(process.pid));
  const times = ["--start-time-us", "1", "--start-time-cpu-us", "1", "--parent-cpu-time-us", "1"];
  const env = { STAND_IN_USER: String(uid) };
  process.execve?.(copied, [copied, "--id", id, ...times, ...given.rest], env);
}

try {
  const given = parseArguments(args, known);
  run(given);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}

/**
 * A stand-in for Firecracker, so that Isola's client, its order of calls, its jail and its clean-up are tested where no KVM boots a guest.
 *
 * What it plays, by Firecracker's sources and what its binary was seen to do: the arguments and `--version`; the API on a unix socket for the calls that Isola makes, with their fields,
 * their order, the states in which they are allowed and the words of their faults; when files are looked at; that a failed load ends the process; that the vsock's path must be free;
 * snapshots that other versions and damaged files are refused for; the memory file, which it reads and never writes.
 * The guest is real: the kernel, initramfs and drives that it is given run under QEMU without the processor's help, and restores are QEMU's own.
 *
 * What it does not play: a vsock (the guest is told to use serial ports, and init's part of dialling is played here), rate limits, the seccomp filter, PCI, CPU
 * templates, network, diff snapshots, and everything else that Isola does not ask for.
 */
import { rmSync } from "node:fs";
import { apiServer } from "./api-server.ts";
import { type Given, type Known, checkId, parseArguments } from "./arguments.ts";
import type { StandInConfig } from "./config.ts";
import { Microvm } from "./microvm.ts";

const ARGUMENTS_STATUS = 153;
const known: Known = {
  ...{ "api-sock": "value", id: "value", level: "value", module: "value", "log-path": "value" },
  ...{ "start-time-us": "value", "start-time-cpu-us": "value", "parent-cpu-time-us": "value" },
  ...{ "no-seccomp": "flag", "enable-pci": "flag" },
};

const [configText = "", ...args] = process.argv.slice(2);
const config = JSON.parse(configText) as StandInConfig;

function parsed(): Given {
  try {
    return parseArguments(args, known);
  } catch (error) {
    const text = (error as Error).message;
    process.stderr.write(`Error: ParseArguments(${text})\n`);
    process.exit(ARGUMENTS_STATUS);
  }
}

/** Each release writes a format of its own. */
function formatOf(version: string): string {
  return version.startsWith("1.16.") ? "10.0.0" : "11.0.0";
}

function run(given: Given): void {
  const { trouble, version, qemu } = config;
  const id = given.values.get("id")?.[0] ?? "anonymous-instance";
  checkId(id);
  if (trouble?.at === "start") process.kill(process.pid, "SIGKILL");
  const user = process.env.STAND_IN_USER;
  const socketPath = given.values.get("api-sock")?.[0] ?? "/run/firecracker.socket";
  const microvm = new Microvm({
    ...{ qemu, version, format: formatOf(version) },
    user: user === undefined ? null : Number(user),
    onConsole: (part) => process.stdout.write(part),
    onOver(status) {
      rmSync(socketPath, { force: true });
      process.exit(status);
    },
  });
  const server = apiServer({ id, version, microvm, trouble });
  server.on("error", (error) => {
    process.stderr.write(`Error: RunWithApi(FailedToBindSocket(${error.message}))\n`);
    process.exit(1);
  });
  server.listen(socketPath);
}

const given = parsed();
run(given);

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../errors.ts";
import { Agent } from "../agent.ts";
import { within } from "../deadline.ts";
import type { GuestFiles, Machine, MachineSpec } from "../vmm.ts";

/** A guest is up after some 100 ms where the processor does the work; where a machine only says that it does, never. */
const UP_MS_MAX = 10_000;
const EMULATED_UP_MS_MAX = 60_000;
const FIRST_WORD_MS_MAX = 5000;
const MEMORY_MIB = 256;

/** Boots the guest once, which is the only way to know that the device works: it can often be opened where no guest runs. null: it does; a text: why not. */
export async function tryGuest(
  guest: GuestFiles,
  { stateDir, kvm, trialMark }: { stateDir: string; kvm: string | null; trialMark: string },
  {
    boot,
    signal,
  }: { boot(spec: MachineSpec, signal: AbortSignal): Promise<Machine>; signal: AbortSignal },
): Promise<string | null> {
  // One at a time; what an earlier life left of its own is in the way.
  const folder = join(stateDir, "trial");
  const msMax = kvm === null ? EMULATED_UP_MS_MAX : UP_MS_MAX;
  const enough = AbortSignal.any([signal, AbortSignal.timeout(msMax)]);
  let machine: Machine | null = null;
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
    const spec: MachineSpec = {
      ...{ id: "trial", guest, folder, mark: trialMark, ends: null },
      ...{ shape: { memoryMiB: MEMORY_MIB, vcpus: 1 }, entries: [] },
      hostUser: null,
    };
    machine = await boot(spec, enough);
    await within(FIRST_WORD_MS_MAX, "its first word", new Agent(machine.agent, {}).up);
    return null;
  } catch (error) {
    const said = machine?.console().trim().slice(-300) ?? "";
    return `${messageOf(error)}${said === "" ? "" : `; its console said: ${said}`}`;
  } finally {
    machine?.kill();
    await machine?.exited;
    await rm(folder, { recursive: true, force: true });
  }
}

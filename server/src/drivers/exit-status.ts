import { constants } from "node:os";

/** The signal that a status of 128 + number tells of, as programs say it that wait for another one; null: an exit code of its own. */
export function signalOf(status: number): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === status - 128);
  return found === undefined ? null : (found[0] as NodeJS.Signals);
}

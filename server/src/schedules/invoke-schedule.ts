import { IsolaError } from "../errors.ts";
import type { InvokeParams } from "../link/messages.ts";
import type { Store } from "../store/store.ts";
import type { Schedule } from "../domain/function.ts";
import { scheduledEvent } from "./scheduled-event.ts";

export interface ScheduleAsked {
  owner: { project: string; name: string };
  schedule: string;
  /** Unix ms; the time in a scheduled event. */
  due: number;
}

/** What the gateway is asked for a run: the event of the live revision. Rejects with `not_found`. */
export async function paramsOf(
  store: Pick<Store, "getFunction" | "getRevision">,
  { owner, schedule, due }: ScheduleAsked,
): Promise<InvokeParams> {
  const { project, name } = owner;
  const fn = await store.getFunction(project, name);
  const { settings } = await store.getRevision(fn.id, fn.liveRevision);
  const found = settings.schedules.find((one) => one.name === schedule);
  if (found === undefined) throw noSuchSchedule(name, schedule, settings.schedules);
  const asked = { project, functionName: name, schedule, due };
  const event = found.event === undefined ? scheduledEvent(asked) : found.event;
  const bodyBase64 = Buffer.from(JSON.stringify(event)).toString("base64");
  return {
    ...{ project, name, schedule, bodyBase64 },
    ...{ kind: "event", method: "", target: "", headers: [] },
  };
}

function noSuchSchedule(name: string, given: string, schedules: readonly Schedule[]): IsolaError {
  const known = schedules.map((one) => one.name).join(", ");
  const has = known === "" ? "has no schedules" : `has the schedules ${known}`;
  return new IsolaError("not_found", `there is no schedule ${given}: the function ${name} ${has}`);
}

import { caller, pathOf } from "./function-paths.ts";
import type { Invoked } from "./invocations.ts";
import type { ScheduleView } from "./schedules.ts";
import type { Page } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

export function scheduleCalls(transport: Transport) {
  const call = caller(transport);
  const of = (name: string) => `${pathOf(name)}/schedules`;
  return {
    /** All of them, in the order of the setting. */
    listSchedules: (name: string, options?: CallOptions) =>
      call<Page<ScheduleView>>("GET", of(name), { ...options }),
    /** Now, with its event, whether it is enabled or not; answers as `invoke`, and lasts as long as the function does. */
    runSchedule: (name: string, schedule: string, options?: CallOptions) =>
      call<Invoked>("POST", `${of(name)}/${encodeURIComponent(schedule)}/run`, {
        isUnbounded: true,
        ...options,
      }),
  };
}

import type { Clock } from "../domain/clock.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import type { CallCount } from "./admission.ts";
import type { Invocation } from "./invocation.ts";
import type { SandboxLogs } from "./sandbox-logs.ts";

/** What all calls share. */
export interface InvocationContext {
  clock: Clock;
  logs: SandboxLogs;
  /** Called once per invocation, after its answer. `count`: what it has to leave. */
  onDone(invocation: Invocation, record: InvocationRecord, count: CallCount): void;
  /** A frame came after the outcome was decided; it is dropped. */
  onLateFrame(): void;
}

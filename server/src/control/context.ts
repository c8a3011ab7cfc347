import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { ErrorBody } from "@isola/api/errors";
import { requestLimits } from "@isola/api/limits";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { Comparisons } from "../comparisons/comparisons.ts";
import type { Costs } from "../cost/costs.ts";
import type { Clock } from "../domain/clock.ts";
import { IsolaError } from "../errors.ts";
import type { TraceExport } from "../traces/trace-export.ts";
import type { Scheduler } from "../schedules/scheduler.ts";
import type { Store } from "../store/store.ts";
import type { EventSink } from "../domain/events.ts";
import type { DebugWork } from "./debug-work.ts";
import type { Deployer, Target } from "./deployer.ts";
import type { GatewayFacts } from "./gateway-facts.ts";
import type { GuestWork } from "./guest-work.ts";
import type { ImageWork } from "./image-work.ts";
import type { MetricsExport } from "./metrics-export.ts";
import type { LiveTails } from "./live-tails.ts";
import type { Artifacts, ControlSettings, GatewayLink, Log } from "./ports.ts";
import { callerOf, projectOf } from "./request-policy.ts";

export type ControlApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the resources work with. */
export interface ControlContext {
  store: Store;
  artifacts: Artifacts;
  gateway: GatewayLink;
  facts: GatewayFacts;
  deployer: Deployer;
  schedules: Pick<Scheduler, "dueOf">;
  imageWork: ImageWork;
  /** Takes what happens. */
  events: EventSink;
  tails: LiveTails;
  metricsExport: MetricsExport;
  /** null: tracing is off. */
  traces: Pick<TraceExport, "counts"> | null;
  guestWork: GuestWork;
  debugWork: DebugWork;
  comparisons: Comparisons;
  costs: Costs;
  settings: ControlSettings;
  clock: Clock;
  log: Log;
}

/** The answers of an operation, errors among them. */
export function answers<R extends Record<number, unknown>>(expected: R) {
  return { ...expected, "4xx": ErrorBody, "5xx": ErrorBody };
}

/** The page that a query asks for, defaults filled in. */
export function pageAsked(query: { cursor?: string; limit?: number }) {
  const limit = query.limit ?? requestLimits.pageItemsDefault;
  return query.cursor === undefined ? { limit } : { limit, cursor: query.cursor };
}

/** The function that a change is for, by whom, and the version that `If-Match` names. */
export function targetOf(request: FastifyRequest, name: string): Target {
  const target = { project: projectOf(request), name, keyId: callerOf(request).keyId };
  const ifVersion = ifVersionOf(request);
  return ifVersion === undefined ? target : { ...target, ifVersion };
}

/** Undefined where any version will do. Throws `precondition_failed` for a tag that was never one of ours. */
export function ifVersionOf(request: FastifyRequest): number | undefined {
  const ifMatch = request.headers["if-match"];
  if (ifMatch === undefined || ifMatch.trim() === "*") return undefined;
  const version = /^(?:W\/)?"v(\d{1,15})"$/.exec(ifMatch.trim())?.[1];
  if (version !== undefined) return Number(version);
  throw new IsolaError(
    "precondition_failed",
    'If-Match: expected an etag that was read, like "v3", given something else',
  );
}

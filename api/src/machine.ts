import Type, { type Static } from "typebox";
import { closed, nullable, oneOf, textByName, wholePageOf } from "./shapes.ts";

const tier = oneOf(["strong", "container", "namespaces", "none"]);

export const DriverView = closed(
  {
    name: Type.String(),
    isAvailable: Type.Boolean(),
    tier,
    versions: textByName("Version of each part"),
    protections: Type.Array(
      closed({ name: Type.String(), isEnforced: Type.Boolean(), how: Type.String() }),
    ),
    problems: Type.Array(Type.String()),
    fixes: Type.Array(Type.String(), { description: "Commands that make it work, or better" }),
  },
  "Driver",
);
export type DriverView = Static<typeof DriverView>;

export const RuntimeView = closed(
  { name: Type.String(), family: Type.String(), version: Type.String() },
  "Runtime",
);
export type RuntimeView = Static<typeof RuntimeView>;

export const DriverPage = wholePageOf(DriverView, "DriverPage");
export const RuntimePage = wholePageOf(RuntimeView, "RuntimePage");

const PoolView = closed({
  project: Type.String(),
  functionName: Type.String(),
  revision: Type.Integer(),
  driver: Type.String(),
  sandboxes: Type.Unsafe<Record<string, number>>({
    type: "object",
    additionalProperties: { type: "integer" },
    description: "How many in each state",
  }),
  queued: Type.Integer(),
  running: Type.Integer(),
});

const BlankPoolView = closed({
  runtime: Type.String(),
  driver: Type.String(),
  ready: Type.Integer(),
  starting: Type.Integer(),
  target: Type.Integer(),
});

export const SystemView = closed(
  {
    version: Type.String(),
    gatewayUrl: Type.String(),
    uptimeMs: Type.Number(),
    logs: closed({
      lines: Type.Integer({ description: "Kept" }),
      bytes: Type.Integer({ description: "About what they take on the disk" }),
      tails: Type.Integer({ description: "Live tails that are open, of events too" }),
    }),
    traces: nullable(
      closed({
        callsExported: Type.Integer({ description: "Whose spans the collector has" }),
        callsLost: Type.Integer({ description: "Whose spans it did not take" }),
      }),
      "Since the control plane started; null: tracing is off",
    ),
    gateway: nullable(
      closed({
        uptimeMs: Type.Number(),
        functions: Type.Integer(),
        runningInvocations: Type.Integer(),
        memoryBudgetMiB: Type.Number(),
        memoryReservedMiB: Type.Number(),
        recordsLost: Type.Integer({
          description:
            "Invocations, log lines and events that could not be kept until the store took them",
        }),
        logsLost: Type.Integer({ description: "The log lines among them" }),
        lateFrames: Type.Integer({
          description: "Frames that came after the outcome of their call was decided; dropped",
        }),
        pools: Type.Array(PoolView, { description: "Of the projects that the key sees" }),
        blankPools: Type.Array(BlankPoolView),
      }),
      "null while the gateway does not answer",
    ),
  },
  "System",
);
export type SystemView = Static<typeof SystemView>;

export const Health = closed(
  {
    status: Type.Literal("ok"),
    isolation: nullable(
      Type.Array(closed({ driver: Type.String(), tier })),
      "Of each driver that works here; null until the gateway has told",
    ),
  },
  "Health",
);
export type Health = Static<typeof Health>;

export const Readiness = closed({ status: Type.Literal("ready") }, "Readiness");
export type Readiness = Static<typeof Readiness>;

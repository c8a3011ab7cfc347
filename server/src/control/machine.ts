import { DriverPage, Health, Readiness, RuntimePage, SystemView } from "@isola/api/machine";
import { IsolaError } from "../errors.ts";
import type { GatewayStatus } from "../link/messages.ts";
import { callerOf } from "./request-policy.ts";
import { type ControlApp, type ControlContext, answers } from "./context.ts";

const tags = ["machine"];
const reads = { policy: { scope: "read", reach: "shared" } } as const;
const open = { policy: "open" } as const;

export function registerMachine(app: ControlApp, context: ControlContext): void {
  const { facts } = context;
  app.get(
    "/api/v1/drivers",
    {
      config: reads,
      schema: {
        tags,
        summary: "Isolation technologies, whether they work on this machine, and what would help",
        response: answers({ 200: DriverPage }),
      },
    },
    async () => {
      const { drivers } = await facts.known();
      const items = drivers.map(({ name, isAvailable, tier, versions, ...rest }) => ({
        ...{ name, isAvailable, tier, versions },
        ...{ protections: rest.protections, problems: rest.problems, fixes: rest.fixes },
      }));
      return { items, nextCursor: null };
    },
  );
  app.get(
    "/api/v1/runtimes",
    {
      config: reads,
      schema: { tags, summary: "Languages found here", response: answers({ 200: RuntimePage }) },
    },
    async () => {
      const { runtimes } = await facts.known();
      const items = runtimes.map(({ name, family, version }) => ({ name, family, version }));
      return { items, nextCursor: null };
    },
  );
  registerSystem(app, context);
  registerHealth(app, context);
}

function registerSystem(app: ControlApp, context: ControlContext): void {
  const { facts, settings, clock, store, tails, traces } = context;
  const startedAt = clock.now();
  app.get(
    "/api/v1/system",
    {
      config: reads,
      schema: { tags, summary: "What runs now", response: answers({ 200: SystemView }) },
    },
    async (request) => {
      const { project } = callerOf(request);
      const status = await facts.ask().catch(() => null); // the rest is worth telling without it
      const logs = { ...(await store.logTotals()), tails: tails.size };
      return {
        version: settings.version,
        gatewayUrl: settings.gatewayUrl,
        uptimeMs: clock.now() - startedAt,
        logs,
        traces: traces?.counts ?? null,
        gateway: status === null ? null : gatewayView(status, project),
      };
    },
  );
}

function registerHealth(app: ControlApp, { store, facts, gateway }: ControlContext): void {
  let wasConnected = false;
  app.get(
    "/healthz",
    {
      config: open,
      schema: {
        tags,
        summary: "The control plane is alive; the isolation that is in force",
        security: [],
        response: answers({ 200: Health }),
      },
    },
    async () => {
      const status = await facts.known().catch(() => null); // alive, whether the gateway is or not
      const working = status?.drivers.filter((driver) => driver.isAvailable);
      const isolation = working?.map(({ name, tier }) => ({ driver: name, tier })) ?? null;
      return { status: "ok" as const, isolation };
    },
  );
  app.get(
    "/readyz",
    {
      config: open,
      schema: {
        tags,
        summary: "Ready for work: the store answers, and the gateway has taken the functions once",
        security: [],
        response: answers({ 200: Readiness }),
      },
    },
    async () => {
      wasConnected ||= gateway.isConnected;
      if (!wasConnected)
        throw new IsolaError("not_ready", "the gateway has not taken the functions yet");
      await store.getKey("readyz").catch((error: unknown) => {
        throw new IsolaError("not_ready", "the store does not answer", { cause: error });
      });
      return { status: "ready" as const };
    },
  );
}

/** With the pools of this project alone; null: of all. */
function gatewayView(status: GatewayStatus, project: string | null) {
  const pools = status.pools.filter((pool) => project === null || pool.project === project);
  return {
    uptimeMs: status.uptimeMs,
    functions: status.functions,
    runningInvocations: status.runningInvocations,
    memoryBudgetMiB: status.memoryBudgetMiB,
    memoryReservedMiB: status.memoryReservedMiB,
    recordsLost: status.recordsLost,
    logsLost: status.logsLost,
    lateFrames: status.lateFrames,
    pools: pools.map((pool) => ({
      project: pool.project,
      functionName: pool.functionName,
      revision: pool.revision,
      driver: pool.driver,
      sandboxes: pool.sandboxes,
      queued: pool.queued,
      running: pool.running,
    })),
    blankPools: status.blankPools.map((pool) => ({
      runtime: pool.runtime,
      driver: pool.driver,
      ready: pool.ready,
      starting: pool.starting,
      target: pool.target,
    })),
  };
}

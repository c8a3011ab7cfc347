import type { LoadGenerator, Measured } from "../load-generator.ts";
import { type Payload, responseBodyBytes } from "../payload.ts";
import type { Subject } from "../peers/subject.ts";
import { type Spread, spreadOf } from "../../server/src/comparisons/statistics.ts";

/** Costs of one subject, over the rounds. */
export interface WarmRow {
  subject: string;
  isolation: string;
  payload: string;
  requests: number;
  /** Of these, how many made the server close their connection. */
  reopened: number;
  /** Processes that ended while they were measured, whose last CPU time may be missing. */
  endedProcesses: number;
  /** Of every process involved, per call, 32 connections. */
  cpuMicros: Spread;
  requestsPerSecond: Spread;
  /** One connection: percentiles minus those of the reference in the same round. */
  addedP50Micros: Spread;
  addedP99Micros: Spread;
  p50Micros: Spread;
  p99Micros: Spread;
}

export interface WarmOptions {
  rounds: number;
  warmupMs: number;
  throughputMs: number;
  latencyMs: number;
}

interface Round {
  throughput: Measured;
  latency: Measured;
}

const connectionsMany = 32;

/**
 * Measures all subjects in every round, there and back again (A B C, C B A, A B C ...), so that a neighbour's noise meets all of them. The first subject is the
 * reference for added latency.
 */
export async function measureWarm(
  load: LoadGenerator,
  given: { subjects: Subject[]; payload: Payload; options: WarmOptions },
): Promise<WarmRow[]> {
  const subjects = given.subjects.filter((subject) => subject.takes(given.payload));
  const rounds: Map<Subject, Round>[] = [];
  for (let i = 0; i < given.options.rounds; i++) {
    const round = new Map<Subject, Round>();
    for (const subject of i % 2 === 0 ? subjects : subjects.toReversed()) {
      round.set(subject, await measureRound(load, subject, given));
    }
    rounds.push(round);
  }
  const [reference] = subjects;
  if (reference === undefined) return [];
  return subjects.map((subject) =>
    rowOf(subject, given.payload, {
      own: rounds.map((round) => round.get(subject) as Round),
      reference: rounds.map((round) => round.get(reference) as Round),
    }),
  );
}

async function measureRound(
  load: LoadGenerator,
  subject: Subject,
  { payload, options }: { payload: Payload; options: WarmOptions },
): Promise<Round> {
  const common = {
    port: subject.port,
    path: subject.path,
    requestBodyBytes: payload.bytes,
    responseBodyBytes: responseBodyBytes(payload),
    warmupMs: options.warmupMs,
  };
  const throughput = await load.run(
    { ...common, connections: connectionsMany, durationMs: options.throughputMs },
    subject,
  );
  const latency = await load.run(
    { ...common, connections: 1, durationMs: options.latencyMs },
    { rootPid: subject.rootPid, settleMs: 0 },
  );
  return { throughput, latency };
}

function rowOf(
  subject: Subject,
  payload: Payload,
  rounds: { own: Round[]; reference: Round[] },
): WarmRow {
  const { own, reference } = rounds;
  const added = (of: (round: Round) => number): Spread =>
    spreadOf(own.map((round, i) => of(round) - of(reference[i] as Round)));
  const p50 = (round: Round): number => round.latency.latencyMicros.p50;
  const p99 = (round: Round): number => round.latency.latencyMicros.p99;
  return {
    subject: subject.name,
    isolation: subject.isolation,
    payload: payload.name,
    requests: own.reduce((sum, round) => sum + round.throughput.requests, 0),
    reopened: own.reduce((sum, round) => sum + round.throughput.reopened, 0),
    endedProcesses: own.reduce((sum, round) => sum + round.throughput.endedProcesses, 0),
    cpuMicros: spreadOf(own.map(({ throughput: t }) => t.cpuMicros / t.requests)),
    requestsPerSecond: spreadOf(own.map(({ throughput: t }) => t.requests / t.seconds)),
    addedP50Micros: added(p50),
    addedP99Micros: added(p99),
    p50Micros: spreadOf(own.map(p50)),
    p99Micros: spreadOf(own.map(p99)),
  };
}

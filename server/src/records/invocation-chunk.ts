import { strict as assert } from "node:assert";
import { idOf, idParts } from "../domain/ids.ts";
import type { InvocationRecord, Outcome, StartKind } from "../domain/invocation.ts";
import type { CallTrace } from "../domain/trace.ts";
import {
  CHUNK_VERSION,
  type ChunkHead,
  type IdName,
  type NumberName,
  PREFIX_BYTES,
  type TextName,
  numberUnits,
} from "./chunk-layout.ts";
import type { Deployment } from "./deployment-dictionary.ts";
import { type IdPacking, ReadIds } from "./id-column.ts";
import { type Packing, packedBytes, unpackNumbers } from "./packed-numbers.ts";

/** A chunk that is read: each column when it is asked for, each record when it is. */
export class InvocationChunk {
  readonly count: number;
  readonly #head: ChunkHead;
  readonly #bytes: Buffer;
  readonly #offsets = new Map<string, number>();
  readonly #columns = new Map<string, Float64Array>();
  readonly #idColumns = new Map<IdName, ReadIds | null>();

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    assert.equal(this.#bytes[0], CHUNK_VERSION, "a chunk of records is of an unknown version");
    const headEnd = PREFIX_BYTES + this.#bytes.readUInt32LE(1);
    this.#head = JSON.parse(this.#bytes.toString("utf8", PREFIX_BYTES, headEnd)) as ChunkHead;
    this.count = this.#head.count;
    // Chunks from before it was kept do not have it.
    for (const deployment of this.#head.deployments) deployment.memoryMiB ??= null;
    let offset = headEnd;
    for (const [name, packing] of Object.entries(this.#head.columns)) {
      this.#offsets.set(name, offset);
      offset += isOfIds(packing) ? packing[1] * this.count : packedBytes(packing, this.count);
    }
    assert.equal(offset, this.#bytes.length, "a chunk of records is cut short");
  }

  idAt(at: number): string {
    const { ids } = this.#head;
    if (Array.isArray(ids)) return ids[at] as string;
    const time = this.#column("idTime")[at] as number;
    const counter = this.#column("idCounter")[at] as number;
    return idOf({ ...ids, time, counter });
  }

  /** -1: not in here. */
  indexOf(id: string): number {
    const { ids } = this.#head;
    if (Array.isArray(ids)) return ids.indexOf(id);
    const parts = idParts(id);
    if (parts === null) return -1;
    const at = this.#column("idCounter").indexOf(parts.counter);
    return at !== -1 && this.idAt(at) === id ? at : -1;
  }

  /** No id in here sorts before `first` or after `last`. */
  get idBounds(): { first: string; last: string } {
    const { ids } = this.#head;
    if (Array.isArray(ids)) {
      const sorted = ids.toSorted((a, b) => (a < b ? -1 : 1));
      return { first: sorted[0] as string, last: sorted.at(-1) as string };
    }
    const { least, most } = boundsOf(this.#column("idTime"));
    const start = (time: number) => idOf({ prefix: ids.prefix, time, boot: "", counter: 0 });
    return { first: start(least).slice(0, -1), last: start(most + 1) };
  }

  startedAt(at: number): number {
    return this.#column("startedAt")[at] as number;
  }

  deploymentAt(at: number): Deployment {
    return this.#head.deployments[this.#column("deployment")[at] as number] as Deployment;
  }

  startKindAt(at: number): StartKind | null {
    return this.#text("startKind", at) as StartKind | null;
  }

  totalMsAt(at: number): number {
    return this.#number("totalMs", at) as number;
  }

  /** As it is kept, NaN for null: see `numberUnits`. Not to be changed. */
  column(name: NumberName): Float64Array {
    return this.#column(name);
  }

  outcomeAt(at: number): Outcome {
    return this.#text("outcome", at) as Outcome;
  }

  /** The same for records of one deployment with one outcome. */
  groupAt(at: number): number {
    const deployment = this.#column("deployment")[at] as number;
    return deployment * this.#head.texts.length + (this.#column("outcome")[at] as number);
  }

  /** The same for records of one deployment with one outcome and one start kind. */
  startGroupAt(at: number): number {
    const kind = this.#column("startKind")[at] as number;
    const kinds = this.#head.texts.length + 1;
    return this.groupAt(at) * kinds + (Number.isNaN(kind) ? 0 : kind + 1);
  }

  /** 0 for a phase that did not take place. */
  timesAt(at: number): { startMs: number; initMs: number; runMs: number } {
    const number = (name: NumberName) => this.#number(name, at) ?? 0;
    return { startMs: number("startMs"), initMs: number("initMs"), runMs: number("runMs") };
  }

  /** Whether any call in here was traced. */
  get hasTraces(): boolean {
    return this.#ids("traceId") !== null;
  }

  isSampledAt(at: number): boolean {
    return this.#ids("runSpanId")?.has(at) === true;
  }

  /** `traceId`: its bytes. */
  isOfTraceAt(at: number, traceId: Buffer): boolean {
    return this.#ids("traceId")?.is(at, traceId) === true;
  }

  traceAt(at: number): CallTrace | null {
    const idAt = (name: IdName) => this.#ids(name)?.at(at) ?? null;
    const traceId = idAt("traceId");
    if (traceId === null) return null;
    return { traceId, runSpanId: idAt("runSpanId"), parentSpanId: idAt("parentSpanId") };
  }

  recordAt(at: number): InvocationRecord {
    const text = (name: TextName) => this.#text(name, at);
    const number = (name: NumberName) => this.#number(name, at);
    return {
      id: this.idAt(at),
      ...this.deploymentAt(at),
      startKind: this.startKindAt(at),
      sandboxId: text("sandboxId"),
      outcome: this.outcomeAt(at),
      errorCode: text("errorCode"),
      errorMessage: text("errorMessage"),
      status: number("status") as number,
      method: text("method") as string,
      path: text("path") as string,
      startedAt: this.startedAt(at),
      totalMs: number("totalMs") as number,
      queueMs: number("queueMs") as number,
      startMs: number("startMs"),
      initMs: number("initMs"),
      runMs: number("runMs"),
      requestBytes: number("requestBytes") as number,
      responseBytes: number("responseBytes") as number,
      responseMs: number("responseMs"),
      cpuMs: number("cpuMs"),
      memoryPeakBytes: number("memoryPeakBytes"),
      killMs: number("killMs"),
      trace: this.traceAt(at),
    };
  }

  records(): InvocationRecord[] {
    return Array.from({ length: this.count }, (_, at) => this.recordAt(at));
  }

  #ids(name: IdName): ReadIds | null {
    const known = this.#idColumns.get(name);
    if (known !== undefined) return known;
    const packing = this.#head.columns[name];
    const bytes = this.#bytes.subarray(this.#offsets.get(name));
    const ids = isOfIds(packing) ? new ReadIds(packing, bytes) : null;
    this.#idColumns.set(name, ids);
    return ids;
  }

  #text(name: TextName, at: number): string | null {
    return this.#head.texts[this.#column(name)[at] as number] ?? null;
  }

  #number(name: NumberName, at: number): number | null {
    const value = this.#column(name)[at] as number;
    return Number.isNaN(value) ? null : value / numberUnits[name];
  }

  #column(name: string): Float64Array {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const column = this.#unpack(name);
    this.#columns.set(name, column);
    return column;
  }

  #unpack(name: string): Float64Array {
    const packing = this.#head.columns[name];
    if (packing === undefined || isOfIds(packing))
      return new Float64Array(this.count).fill(Number.NaN);
    const bytes = this.#bytes.subarray(this.#offsets.get(name));
    return unpackNumbers(packing, bytes, this.count);
  }
}

function boundsOf(values: Float64Array): { least: number; most: number } {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

function isOfIds(packing: Packing | IdPacking | undefined): packing is IdPacking {
  return Array.isArray(packing) && packing[0] === "id";
}

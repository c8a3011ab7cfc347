import type { InvocationRecord } from "../domain/invocation.ts";
import { idColumns } from "./chunk-ids.ts";
import {
  CHUNK_VERSION,
  type ChunkHead,
  type IdName,
  type NumberName,
  PREFIX_BYTES,
  type TextName,
  idDigits,
  idNames,
  numberNames,
  numberUnits,
  textNames,
} from "./chunk-layout.ts";
import { DeploymentDictionary } from "./deployment-dictionary.ts";
import { IdColumn } from "./id-column.ts";
import { packNumbers } from "./packed-numbers.ts";
import { TextColumn, TextDictionary } from "./text-column.ts";

/** Records of invocations on their way into a chunk: `empty -> filling -> empty ...`. Its arrays are made once and take `rowsMax` records. */
export class ChunkWriter {
  readonly #rowsMax: number;
  readonly #ids: string[];
  readonly #places: Float64Array;
  readonly #texts: Record<TextName, TextColumn>;
  readonly #numbers: Record<NumberName, Float64Array>;
  readonly #traces: Record<IdName, IdColumn>;
  #deployments = new DeploymentDictionary();
  #dictionary = new TextDictionary();
  #count = 0;

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
    this.#ids = Array.from({ length: rowsMax }, () => "");
    this.#places = new Float64Array(rowsMax);
    this.#texts = columns(textNames, () => new TextColumn(rowsMax, this.#dictionary));
    this.#numbers = columns(numberNames, () => new Float64Array(rowsMax));
    this.#traces = columns(idNames, (name) => new IdColumn(rowsMax, idDigits[name]));
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#rowsMax;
  }

  /** Of the texts, each counted once. */
  get characters(): number {
    return this.#dictionary.characters;
  }

  /** Not when full. Spelled out, since a loop over names costs a call more than all else. */
  add(record: InvocationRecord): void {
    const at = this.#count;
    this.#count += 1;
    this.#ids[at] = record.id;
    this.#places[at] = this.#deployments.placeOf(record);
    const texts = this.#texts;
    texts.startKind.put(at, record.startKind);
    texts.sandboxId.put(at, record.sandboxId);
    texts.outcome.put(at, record.outcome);
    texts.errorCode.put(at, record.errorCode);
    texts.errorMessage.put(at, record.errorMessage);
    texts.method.put(at, record.method);
    texts.path.put(at, record.path);
    const numbers = this.#numbers;
    numbers.status[at] = record.status;
    numbers.startedAt[at] = record.startedAt;
    numbers.totalMs[at] = record.totalMs;
    numbers.queueMs[at] = record.queueMs;
    numbers.startMs[at] = record.startMs ?? Number.NaN;
    numbers.initMs[at] = record.initMs ?? Number.NaN;
    numbers.runMs[at] = record.runMs ?? Number.NaN;
    numbers.requestBytes[at] = record.requestBytes;
    numbers.responseBytes[at] = record.responseBytes;
    numbers.responseMs[at] = record.responseMs ?? Number.NaN;
    numbers.cpuMs[at] = record.cpuMs ?? Number.NaN;
    numbers.memoryPeakBytes[at] = record.memoryPeakBytes ?? Number.NaN;
    numbers.killMs[at] = record.killMs ?? Number.NaN;
    const { trace } = record;
    if (trace === null) return;
    this.#traces.traceId.put(at, trace.traceId);
    this.#traces.runSpanId.put(at, trace.runSpanId);
    this.#traces.parentSpanId.put(at, trace.parentSpanId);
  }

  /** The chunk of all that was added, after which the writer is empty again. Not when empty. */
  take(): Buffer {
    const count = this.#count;
    const ids = idColumns(this.#ids, count);
    const head: ChunkHead = {
      count,
      ids: ids === null ? this.#ids.slice(0, count) : ids.common,
      deployments: this.#deployments.deployments,
      texts: this.#dictionary.texts,
      columns: {},
    };
    const parts: Uint8Array[] = [];
    const pack = (name: string, values: Float64Array) => {
      const [packing, bytes] = packNumbers(values, count);
      head.columns[name] = packing;
      parts.push(bytes);
    };
    pack("deployment", this.#places);
    for (const name of textNames) pack(name, this.#texts[name].values);
    for (const name of numberNames) {
      toUnits(this.#numbers[name], count, numberUnits[name]);
      pack(name, this.#numbers[name]);
    }
    for (const name of idNames) {
      if (!this.#traces[name].isUsed) continue;
      const [packing, bytes] = this.#traces[name].take(count);
      head.columns[name] = packing;
      parts.push(bytes);
    }
    if (ids !== null) {
      pack("idTime", ids.times);
      pack("idCounter", ids.counters);
    }
    this.#clear();
    return assemble(head, parts);
  }

  #clear(): void {
    this.#ids.fill("", 0, this.#count);
    this.#count = 0;
    this.#deployments = new DeploymentDictionary();
    this.#dictionary = new TextDictionary();
    for (const name of textNames) this.#texts[name].begin(this.#dictionary);
  }
}

/** One chunk of records that are at hand already. Not of none. */
export function chunkOf(records: readonly InvocationRecord[]): Buffer {
  const writer = new ChunkWriter(records.length);
  for (const record of records) writer.add(record);
  return writer.take();
}

function columns<Name extends string, T>(
  names: readonly Name[],
  make: (name: Name) => T,
): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, T>;
}

function toUnits(values: Float64Array, count: number, units: number): void {
  if (units === 1) return;
  for (let at = 0; at < count; at += 1) values[at] = Math.round((values[at] as number) * units);
}

function assemble(head: ChunkHead, parts: Uint8Array[]): Buffer {
  const headBytes = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix[0] = CHUNK_VERSION;
  prefix.writeUInt32LE(headBytes.length, 1);
  return Buffer.concat([prefix, headBytes, ...parts]);
}

import type { InvocationRecord } from "../../domain/invocation.ts";
import type { InvocationChunk } from "../../records/invocation-chunk.ts";
import { ANY } from "../../records/chunk-slices.ts";
import type { Page } from "../page.ts";
import type { InvocationQuery } from "../store.ts";

/** A place in the order in which chunks are looked into: by their newest record of the slice, newest first. */
export interface SlicePlace {
  at: number;
  chunk: number;
}

/** Which records of a chunk a slice is of: of one project, with one outcome or with any. */
export interface SliceOf {
  project: string;
  outcome: string;
}

export interface ListCursor {
  at: number;
  id: string;
  /** The first chunk that may hold more. */
  place: SlicePlace;
}

interface Found {
  chunk: InvocationChunk;
  place: SlicePlace;
  row: number;
  at: number;
  /** Made when two of one moment are compared. */
  id: string | null;
}

/** The newest invocations that a query asks for, gathered from one chunk after the other; one more than the page holds is kept. */
export class FoundInvocations {
  readonly #query: InvocationQuery;
  readonly #cursor: ListCursor | null;
  /** Its bytes; null: any. */
  readonly #traceId: Buffer | null;
  /** Newest first. */
  #found: Found[] = [];
  /** The first chunk of which something was left out. */
  #firstLeft: SlicePlace | null = null;

  constructor(query: InvocationQuery, cursor: ListCursor | null) {
    this.#query = query;
    this.#cursor = cursor;
    this.#traceId = query.traceId === undefined ? null : Buffer.from(query.traceId, "hex");
  }

  /** No chunk whose records are all of `at` or older can change the page. */
  isCompleteBefore(at: number): boolean {
    const oldest = this.#found[this.#query.limit];
    return oldest !== undefined && oldest.at > at;
  }

  /** Only those of the slice: where several slices of a chunk are looked at, each record is in one of them. */
  look(chunk: InvocationChunk, place: SlicePlace, slice: SliceOf): void {
    const { limit } = this.#query;
    const oldestAt = this.#found[limit]?.at ?? -Infinity;
    const before = this.#found.length;
    if (this.#traceId !== null && !chunk.hasTraces) return;
    for (let row = 0; row < chunk.count; row += 1) {
      if (!this.#isAsked(chunk, row, slice)) continue;
      const at = chunk.startedAt(row);
      if (at >= oldestAt) this.#found.push({ chunk, place, row, at, id: null });
    }
    if (this.#found.length > before) this.#found.sort(newestFirst);
    // What was passed over needs no leaving: it is older than what is left for it, of a chunk that comes before this one.
    for (const one of this.#found.splice(limit + 1)) this.#leave(one.place);
  }

  page(cursorOf: (cursor: ListCursor) => string): Page<InvocationRecord> {
    const { limit } = this.#query;
    const items = this.#found.slice(0, limit);
    const last = items.at(-1);
    const next = this.#found[limit];
    const page = items.map(({ chunk, row }) => chunk.recordAt(row));
    if (last === undefined || next === undefined) return { items: page, nextCursor: null };
    this.#leave(next.place);
    const place = this.#firstLeft as SlicePlace;
    return { items: page, nextCursor: cursorOf({ at: last.at, id: idOf(last), place }) };
  }

  #isAsked(chunk: InvocationChunk, row: number, { project, outcome }: SliceOf): boolean {
    const { functionName, since, until } = this.#query;
    const at = chunk.startedAt(row);
    if ((since !== undefined && at < since) || (until !== undefined && at >= until)) return false;
    if (this.#cursor !== null && !isAfter(this.#cursor, chunk, row)) return false;
    if (outcome !== ANY && chunk.outcomeAt(row) !== outcome) return false;
    const { startKind, minDurationMs, driver } = this.#query;
    if (startKind !== undefined && (chunk.startKindAt(row) ?? "none") !== startKind) return false;
    if (minDurationMs !== undefined && chunk.totalMsAt(row) < minDurationMs) return false;
    if (this.#traceId !== null && !chunk.isOfTraceAt(row, this.#traceId)) return false;
    const deployment = chunk.deploymentAt(row);
    if (driver !== undefined && deployment.driver !== driver) return false;
    if (deployment.project !== project) return false;
    return functionName === undefined || deployment.functionName === functionName;
  }

  #leave(place: SlicePlace): void {
    const first = this.#firstLeft;
    const isBefore =
      first === null || place.at > first.at || (place.at === first.at && place.chunk > first.chunk);
    if (isBefore) this.#firstLeft = place;
  }
}

function isAfter(cursor: ListCursor, chunk: InvocationChunk, row: number): boolean {
  const at = chunk.startedAt(row);
  return at < cursor.at || (at === cursor.at && chunk.idAt(row) < cursor.id);
}

function newestFirst(a: Found, b: Found): number {
  if (a.at !== b.at) return b.at - a.at;
  return idOf(a) < idOf(b) ? 1 : -1;
}

function idOf(found: Found): string {
  found.id ??= found.chunk.idAt(found.row);
  return found.id;
}

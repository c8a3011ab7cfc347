import type { FastifyReply, FastifyRequest } from "fastify";
import { hashSecret } from "../auth/api-key.ts";
import type { Arrived, StoredRecords } from "../store/store.ts";
import { EventStream } from "./event-stream.ts";
import type { LiveTails, TailOwner, TailReader } from "./live-tails.ts";
import { callerOf } from "./request-policy.ts";
import { problem } from "@isola/api/explain";
import { sessionTokenOf } from "./session-cookie.ts";
import { invalidRequest } from "./validation.ts";

/** What comes while the past is read; more is left out and counted. */
const HELD_MAX = 1000;

/** What one kind of tail shows. */
export interface TailKind<T extends { seq: number }> {
  name: string;
  of(stored: StoredRecords): readonly T[];
  /** As JSON. */
  show(item: T): string;
}

interface TailOptions<T extends { seq: number }> {
  tails: LiveTails;
  kind: TailKind<T>;
  wants(item: T): boolean;
  /** What has arrived since the item with this number. */
  behind(seq: number): Promise<Arrived<T>>;
}

/** One reader of a live tail: `catching up -> live -> ended`; without `Last-Event-ID` live from the start. */
class Tail<T extends { seq: number }> implements TailReader {
  readonly #options: TailOptions<T>;
  readonly #stream: EventStream;
  /** null: live. */
  #held: T[] | null = [];

  constructor(options: TailOptions<T>, stream: EventStream) {
    this.#options = options;
    this.#stream = stream;
  }

  get isEnded(): boolean {
    return this.#stream.isEnded;
  }

  take(stored: StoredRecords): void {
    const { kind, wants } = this.#options;
    for (const item of kind.of(stored)) {
      if (!wants(item)) continue;
      if (this.#held === null) this.#send(item);
      else if (this.#held.length < HELD_MAX) this.#held.push(item);
      else this.#stream.drop(1);
    }
  }

  async catchUp(seq: number): Promise<void> {
    const { items, last, passedOver } = await this.#options.behind(seq);
    if (passedOver > 0) this.#stream.drop(passedOver);
    for (const item of items) this.#send(item);
    this.goLive(last);
  }

  /** What is held came behind the item `after`, or was shown already. */
  goLive(after: number): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const item of held) if (item.seq > after) this.#send(item);
  }

  beat(): void {
    this.#stream.beat();
  }

  end(reason: string): void {
    this.#stream.end(reason);
  }

  #send(item: T): void {
    const { kind } = this.#options;
    this.#stream.send(kind.name, item.seq, kind.show(item));
  }
}

/** Answers with a live tail, which begins behind `Last-Event-ID` where the caller sends one. Rejects before the answer has begun, or not at all. */
export async function answerTail<T extends { seq: number }>(
  request: FastifyRequest,
  reply: FastifyReply,
  options: TailOptions<T>,
): Promise<FastifyReply> {
  const { tails } = options;
  const owner = ownerOf(request);
  const from = lastEventId(request);
  tails.checkRoom(owner.keyId);
  const stream = new EventStream(reply);
  const tail = new Tail(options, stream);
  tails.add(tail, owner);
  stream.onClosed(() => tails.remove(tail));
  if (from === null) tail.goLive(0);
  else
    await tail.catchUp(from).catch(() => {
      tails.remove(tail);
      tail.end("the store does not answer; open the tail again");
    });
  return reply;
}

/** Whose tail it is. */
export function ownerOf(request: FastifyRequest): TailOwner {
  const { keyId } = callerOf(request);
  const { authorization, cookie } = request.headers;
  const token = authorization === undefined ? sessionTokenOf(cookie) : null;
  return { keyId, sessionHash: token === null ? null : hashSecret(token) };
}

/** Throws where a tail is asked for what only a list can give. */
export function checkTailQuery(query: object): void {
  const foreign = ["cursor", "limit", "order", "since", "until"].filter((name) => name in query);
  if (foreign.length === 0) return;
  const expected = "left out of a live tail, which begins now or behind `Last-Event-ID`";
  throw invalidRequest(foreign.map((name) => problem(`query.${name}`, expected, "a value")));
}

function lastEventId(request: FastifyRequest): number | null {
  const given = request.headers["last-event-id"];
  if (given === undefined || given === "") return null;
  if (typeof given === "string" && /^\d{1,15}$/.test(given)) return Number(given);
  const expected = "the id of an item of an earlier answer";
  throw invalidRequest([problem("header.last-event-id", expected, given)]);
}

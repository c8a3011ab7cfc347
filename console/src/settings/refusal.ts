import { ApiError } from "@isola/api/api-error";
import type { Draft } from "./draft.ts";

/** That the server did not take settings. */
export interface Refusal {
  error: unknown;
  /** What it was about. */
  sent: Draft;
}

/** Members of a schedule that are right or wrong by themselves, wherever the schedule stands; as the form names them. */
const labels = { cron: "Cron", timeZone: "Time zone", event: "Event" } as const;
export type ScheduleMember = keyof typeof labels;

const SCHEDULE = /^schedules\[(\d+)\](?:\.(cron|timeZone|event)$|)/;

/** What the server said of a value that a schedule has; null: nothing. */
export function refusedValue(
  refusal: Refusal | null,
  member: ScheduleMember,
  value: unknown,
): string | null {
  if (refusal === null) return null;
  const found = detailsOf(refusal.error).find(({ path }) => {
    const place = placeOf(path);
    return place?.member === member && isSame(sentValue(refusal, place.at, member), value);
  });
  return found === undefined ? null : `expected ${found.expected}`;
}

/** What still holds of an error, in the words of the form: without what was said of values that have been changed since. Null: nothing. */
export function standing(refusal: Refusal | null, draft: Draft): unknown {
  if (refusal === null) return null;
  const { error } = refusal;
  const all = detailsOf(error);
  if (all.length === 0 || !(error instanceof ApiError)) return error;
  const details = all
    .filter(({ path }) => stands(path, refusal, draft))
    .map((detail) => ({ ...detail, path: wordsOf(detail.path) }));
  if (details.length === 0) return null;
  const told = details.map(({ path, expected, given }) => tell(path, expected, given));
  const { status, code, requestId } = error;
  return new ApiError(told.join("; "), { status, code, details, requestId });
}

/** As the server puts a detail into its message. */
function tell(path: string, expected: string, given: string): string {
  return `${path}: expected ${expected}, given ${given}`;
}

/** Of fields; other errors have details that are about something else. */
function detailsOf(error: unknown): ApiError["details"] {
  return error instanceof ApiError && error.code === "invalid_request" ? error.details : [];
}

function stands(path: string, refusal: Refusal, draft: Draft): boolean {
  const { member, at } = placeOf(path) ?? {};
  if (member !== undefined && at !== undefined) {
    const value = sentValue(refusal, at, member);
    return (draft.schedules ?? []).some((schedule) => isSame(schedule[member], value));
  }
  const [top = ""] = path.split(/[.[]/);
  return isSame(memberOf(refusal.sent, top), memberOf(draft, top));
}

function wordsOf(path: string): string {
  const place = placeOf(path);
  if (place === null) return path;
  const row = `Schedule ${place.at + 1}`;
  return place.member === undefined
    ? path.replace(SCHEDULE, row)
    : `${row}: ${labels[place.member]}`;
}

/** Null: it is none of a schedule's. */
function placeOf(path: string): { at: number; member: ScheduleMember | undefined } | null {
  const [matched, at, member] = SCHEDULE.exec(path) ?? [];
  if (matched === undefined) return null;
  return { at: Number(at), member: member as ScheduleMember | undefined };
}

function sentValue({ sent }: Refusal, at: number, member: ScheduleMember): unknown {
  return sent.schedules?.[at]?.[member];
}

function memberOf(draft: Draft, name: string): unknown {
  return (draft as Record<string, unknown>)[name];
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

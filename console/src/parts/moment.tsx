import { localTime, timeSince } from "../format/time.ts";

/** A moment as how long ago it was; the exact local time on hover. */
export function Moment({ at, now = Date.now() }: { at: string; now?: number }) {
  return (
    <time dateTime={at} title={localTime(at)} style={{ whiteSpace: "nowrap" }}>
      {timeSince(at, now)}
    </time>
  );
}

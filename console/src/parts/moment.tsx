import { localTime, timeSince, timeUntil } from "../format/time.ts";

export interface MomentProps {
  /** ISO 8601 */
  at: string;
  now?: number;
  /** It is still to come. */
  isAhead?: boolean;
}

/** A moment as how long ago it was, or how far off it is; the exact local time on hover. */
export function Moment({ at, now = Date.now(), isAhead = false }: MomentProps) {
  return (
    <time dateTime={at} title={localTime(at)} style={{ whiteSpace: "nowrap" }}>
      {(isAhead ? timeUntil : timeSince)(at, now)}
    </time>
  );
}

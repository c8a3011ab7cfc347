/** ISO 8601, UTC. */
interface Day {
  from: string;
  /** The first moment that is no longer part of it. */
  to: string;
}

/** The part of the Lambda context that is used here. */
interface Context {
  awsRequestId: string;
}

/**
 * What runs at certain times: works on the day before the time of its event (UTC). Takes any JSON
 * event: `{"time": "2026-01-31T04:00:00Z"}` of a scheduler, `{}` by hand. The same event means the
 * same day, so that a run that is repeated does no harm.
 */
export async function handler(event: unknown, context: Context): Promise<Day & { hours: number }> {
  const day = dayBefore(timeOf(event));
  console.log(`run ${context.awsRequestId} for ${day.from}`);
  return { ...day, ...(await work(day)) };
}

/** Here goes the work on what happened in that day. */
async function work({ from, to }: Day): Promise<{ hours: number }> {
  return { hours: (Date.parse(to) - Date.parse(from)) / 3_600_000 };
}

/** Throws where the event has a time that is none. */
function timeOf(event: unknown): Date {
  const isObject = typeof event === "object" && event !== null;
  if (!isObject || !("time" in event)) return new Date();
  const time = new Date(typeof event.time === "string" ? event.time : Number.NaN);
  if (Number.isNaN(time.getTime())) {
    const given = JSON.stringify(event.time);
    throw new TypeError(`expected "time" as 2026-01-31T04:00:00Z, given ${given}`);
  }
  return time;
}

function dayBefore(time: Date): Day {
  const midnight = (days: number) =>
    new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate() + days));
  return { from: midnight(-1).toISOString(), to: midnight(0).toISOString() };
}

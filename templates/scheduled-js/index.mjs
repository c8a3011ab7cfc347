/**
 * What runs at certain times: works on the day before the time of its event (UTC). Takes any JSON
 * event: `{"time": "2026-01-31T04:00:00Z"}` of a scheduler, `{}` by hand. The same event means the
 * same day, so that a run that is repeated does no harm.
 */
export const handler = async (event, context) => {
  const day = dayBefore(timeOf(event));
  console.log(`run ${context.awsRequestId} for ${day.from}`);
  return { ...day, ...(await work(day)) };
};

/** Here goes the work on what happened from `from` until before `to`. */
async function work({ from, to }) {
  return { hours: (Date.parse(to) - Date.parse(from)) / 3_600_000 };
}

/** Throws where the event has a time that is none. */
function timeOf(event) {
  const given = event?.time;
  if (given === undefined) return new Date();
  const time = new Date(typeof given === "string" ? given : Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw new TypeError(`expected "time" as 2026-01-31T04:00:00Z, given ${JSON.stringify(given)}`);
  return time;
}

function dayBefore(time) {
  const midnight = (days) =>
    new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate() + days));
  return { from: midnight(-1).toISOString(), to: midnight(0).toISOString() };
}

import { setTimeout as sleep } from "node:timers/promises";

const countMax = 1000;
const intervalMsMax = 10_000;

/** Text of one event; `data` is one line of JSON, so it needs no splitting. */
function sseEvent(name, id, data) {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Yields events `first` to `count`, one each `intervalMs`, and stops early when the caller goes away. */
async function* ticks({ first, count, intervalMs }, signal) {
  const encoder = new TextEncoder();
  try {
    for (let n = first; n <= count; n++) {
      if (n > first) await sleep(intervalMs, undefined, { signal });
      yield encoder.encode(sseEvent("tick", n, { n, of: count }));
    }
    yield encoder.encode(sseEvent("end", count, { sent: Math.max(0, count - first + 1) }));
  } catch (error) {
    // Nobody listens any more: ending quietly is the whole answer.
    if (!signal.aborted) throw error;
    console.log("the caller went away");
  }
}

/** A whole number of the query, or null when it is out of bounds. */
function wholeNumber(text, fallback, { least, most }) {
  if (text === null) return fallback;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : null;
}

export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const count = wholeNumber(searchParams.get("count"), 5, { least: 1, most: countMax });
    const intervalMs = wholeNumber(searchParams.get("intervalMs"), 200, {
      least: 0,
      most: intervalMsMax,
    });
    if (count === null || intervalMs === null) {
      const text = `count: 1 to ${countMax}; intervalMs: 0 to ${intervalMsMax}\n`;
      return new Response(text, { status: 400 });
    }
    const lastId = wholeNumber(request.headers.get("last-event-id"), 0, { least: 0, most: count });
    const stream = ReadableStream.from(
      ticks({ first: (lastId ?? 0) + 1, count, intervalMs }, request.signal),
    );
    return new Response(stream, {
      headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
    });
  },
};

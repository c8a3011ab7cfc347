import { setTimeout as delay } from "node:timers/promises";

const encoder = new TextEncoder();

/** Ends early when `signal` aborts: the caller went away, or the time is up. */
async function* words(text, signal) {
  for (const word of text.split(" ")) {
    yield encoder.encode(`${word}\n`);
    await delay(100, undefined, { signal });
  }
}

export default {
  fetch(request) {
    const parts = words("Each word is sent as soon as it is there.", request.signal);
    const headers = { "content-type": "text/plain; charset=utf-8" };
    return new Response(ReadableStream.from(parts), { headers });
  },
};

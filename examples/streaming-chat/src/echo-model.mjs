import { setTimeout as sleep } from "node:timers/promises";

const tokenMsDefault = 20;

/**
 * Stands where a language model would: says the last message back, word by word, one each TOKEN_MS. Rejects with an AbortError at once when `signal` aborts. A proxy would call a
 * model's server here, hand `signal` on to its `fetch`, and yield what comes.
 */
export async function* reply(messages, signal) {
  const tokenMs = Number(process.env.TOKEN_MS ?? tokenMsDefault);
  const words = messages.at(-1).content.match(/\s*\S+/g) ?? [];
  for (const token of ["You said:", ...words.map(spaced)]) {
    await sleep(tokenMs, undefined, { signal });
    yield token;
  }
}

function spaced(word) {
  return /^\s/.test(word) ? word : ` ${word}`;
}

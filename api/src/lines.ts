const LINE_CHARS_MAX = 16 * 1_048_576;

/** The lines of a body that comes bit by bit, each as soon as it is whole. Throws where the last has no end, or one grows beyond all measure. */
export async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunksOf(body)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARS_MAX) throw new Error("a line without an end");
    yield* lines;
  }
  if (rest !== "") throw new Error("it broke off");
}

/** By a reader, as not every browser iterates a stream. Whoever stops early cancels it. */
async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  let isWhole = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isWhole = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!isWhole) await reader.cancel().catch(() => {}); // it has failed already: the read said so
  }
}

import { readChat } from "./chat.mjs";
import { reply } from "./echo-model.mjs";
import { chunkOf, endOf } from "./chunks.mjs";

/** How each form of stream writes one object, and what it ends with. */
const forms = {
  sse: {
    type: "text/event-stream; charset=utf-8",
    line: (value) => `data: ${JSON.stringify(value)}\n\n`,
    end: "data: [DONE]\n\n",
  },
  ndjson: {
    type: "application/x-ndjson",
    line: (value) => `${JSON.stringify(value)}\n`,
    end: "",
  },
};

/** Yields the bytes of a streamed reply, and stops asking the model when the caller goes away. */
async function* bytesOf(chat, form, { id, signal }) {
  const encoder = new TextEncoder();
  let tokens = 0;
  try {
    let reason = "stop";
    for await (const token of reply(chat.messages, signal)) {
      if (tokens === chat.tokensMax) {
        reason = "length";
        break;
      }
      tokens += 1;
      yield encoder.encode(form.line(chunkOf(id, token)));
    }
    yield encoder.encode(form.line(endOf(id, { reason, tokens })) + form.end);
  } catch (error) {
    // Nobody listens any more: ending quietly is the whole answer.
    if (!signal.aborted) throw error;
    console.log(`the caller went away after ${tokens} tokens`);
  }
}

export default {
  async fetch(request, context) {
    if (request.method !== "POST") {
      const headers = { allow: "POST" };
      return Response.json({ error: "POST {messages}" }, { status: 405, headers });
    }
    const { chat, problem, status } = await readChat(request);
    if (problem !== undefined) return Response.json({ error: problem }, { status });
    const wantsLines = request.headers.get("accept")?.includes("application/x-ndjson");
    const form = wantsLines ? forms.ndjson : forms.sse;
    const id = `chat-${context.awsRequestId ?? crypto.randomUUID()}`;
    const stream = ReadableStream.from(bytesOf(chat, form, { id, signal: request.signal }));
    return new Response(stream, {
      headers: { "content-type": form.type, "cache-control": "no-store" },
    });
  },
};

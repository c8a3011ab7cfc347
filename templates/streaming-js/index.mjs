import { setTimeout as delay } from "node:timers/promises";

export default {
  fetch() {
    const words = "Each word is sent as soon as it is there.".split(" ");
    const encoder = new TextEncoder();
    const body = new ReadableStream({
      async pull(controller) {
        const word = words.shift();
        if (word === undefined) return controller.close();
        controller.enqueue(encoder.encode(`${word}\n`));
        await delay(100);
      },
    });
    return new Response(body, { headers: { "content-type": "text/plain; charset=utf-8" } });
  },
};

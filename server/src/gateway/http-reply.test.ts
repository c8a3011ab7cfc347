import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { HttpReply } from "./http-reply.ts";

describe("the reply to a caller who has been refused", () => {
  test("takes what comes late and passes nothing of it on", async () => {
    let goneTimes = 0;
    const server = createServer((request, response) => {
      const reply = new HttpReply(request, response);
      reply.onGone = () => {
        goneTimes += 1;
      };
      const body = Buffer.from("refused");
      reply.refuse({ status: 408, headers: ["content-length", String(body.length)], body });
      reply.head(200, ["content-length", "4"]);
      assert.equal(reply.body(Buffer.from("late")), true);
      reply.flush();
      reply.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(answer.status, 408);
    assert.equal(await answer.text(), "refused");
    assert.equal(goneTimes, 1);
    server.close();
    server.closeAllConnections();
  });
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A collector that takes everything and looks at nothing, in a process of its own. */
const server = createServer((request, response) => {
  request.on("end", () =>
    response.writeHead(200, { "content-type": "application/json" }).end("{}"),
  );
  request.resume();
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));

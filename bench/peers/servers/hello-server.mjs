// Bare node:http: the least that a Node server can cost. Listens on the port or socket path given.
import { createServer } from "node:http";

const [address] = process.argv.slice(2);

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/plain", "content-length": 5 }).end("hello");
    return;
  }
  response.writeHead(200, {
    "content-type": "text/plain",
    "content-length": request.headers["content-length"],
  });
  request.pipe(response);
});
server.keepAliveTimeout = 600_000;
if (/^\d+$/.test(address)) server.listen(Number(address), "127.0.0.1");
else server.listen(address);

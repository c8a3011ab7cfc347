// The usual design: an HTTP front that passes each request to a Node server in another process, over a unix socket.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Pool } from "undici";

const [port, socketPath] = process.argv.slice(2);
const upstream = fileURLToPath(new URL("hello-server.mjs", import.meta.url));
const child = spawn(process.execPath, [upstream, socketPath], { stdio: "inherit" });
process.on("SIGTERM", () => {
  child.kill();
  process.exit(0);
});

const pool = new Pool("http://upstream", { socketPath, connections: 32, pipelining: 1 });

const server = createServer((request, response) => {
  const { method, url: path, headers } = request;
  const body = method === "GET" ? null : request;
  const onHead = ({ statusCode, headers: answered }) => {
    delete answered.connection;
    delete answered["keep-alive"];
    return response.writeHead(statusCode, answered);
  };
  const forwarded = { ...headers };
  delete forwarded.connection;
  pool.stream({ method, path, headers: forwarded, body }, onHead).catch((error) => {
    if (response.headersSent) response.destroy(error);
    else response.writeHead(502).end(String(error));
  });
});
server.keepAliveTimeout = 600_000;
server.listen(Number(port), "127.0.0.1");

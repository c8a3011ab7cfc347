// Joins connections of the host's socket with the debugger's port; started by debugger.mjs. Arguments: the socket's path, the port.
import { connect } from "node:net";

const [socketPath = "", port = ""] = process.argv.slice(2);

/** One connection always waits; the host's first byte, which means nothing else, takes it into use. It ends with the host's socket. */
function wait() {
  const host = connect(socketPath);
  host.on("error", () => host.destroy());
  host.once("data", (first) => {
    host.pause();
    wait();
    const inner = connect(Number(port), "127.0.0.1");
    inner.on("error", () => host.destroy());
    inner.on("close", () => host.destroy());
    host.on("close", () => inner.destroy());
    inner.write(first.subarray(1));
    host.pipe(inner).pipe(host);
  });
}

wait();

/** The server, which ends when the command that has started it is gone, however that ended. Arguments are its settings. */
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
const server = new URL("../../../server/src/main.ts", import.meta.url);
await import(server.href);

export {};

// The Node runtime: runs inside the sandbox, speaks protocol/README.md on the stream that ISOLA_CONTROL names. Standard library only.
import { PROTOCOL_VERSION, Type } from "../../protocol/src/frames.mjs";
import { openControl } from "./control.mjs";
import { Session } from "./session.mjs";

const { ISOLA_CONTROL: where, ISOLA_GATE: gate, ISOLA_RESEED: reseed } = process.env;
delete process.env.ISOLA_CONTROL;
delete process.env.ISOLA_GATE;
delete process.env.ISOLA_RESEED;
process.umask(0o022);

const session = new Session();

async function greet() {
  session.open(await openControl(where, session));
  session.writer.json(Type.HELLO, 0, {
    protocol: PROTOCOL_VERSION,
    runtime: "nodejs",
    version: process.versions.node,
    pid: process.pid,
  });
  session.writer.flush();
}

if (gate === undefined) {
  await greet();
  // The rest is loaded once the host knows that the sandbox exists; what has arrived by then is read afterwards.
  const { startLife } = await import("./life.mjs");
  startLife(session);
} else {
  const { passGate } = await import("./gate.mjs");
  const { startLifeWhole } = await import("./life.mjs");
  await startLifeWhole(session);
  passGate(gate, { isControl: gate === where, reseed });
  await greet();
}

import { integerOption } from "../arguments.ts";
import { type Command, usageFailure } from "../command.ts";
import { debugFunction } from "../debug/debug-function.ts";

const PORT_MAX = 65_535;

export const debugCommand: Command = {
  usage: "debug <name>",
  isOfProject: true,
  summary: "Attach a debugger to a function: a port for editors, until Ctrl-C",
  positionals: { name: { help: "of the function", completes: "function" } },
  details: [
    "Where the server's setting `debugger` is on. Meanwhile all calls of the function go to one sandbox, one at a time, and no clock of them runs. How editors attach, and what else there is to know: [debugging.md](debugging.md).",
  ],
  examples: [
    { line: "isola debug hello", says: "then attach VS Code, or `node inspect 127.0.0.1:9229`" },
    { line: "isola debug hello --wait", says: "stop in what runs while the code is loaded, too" },
  ],
  json: "one object a line: first `session` with `debugger` and `port`, then `open`, `failed` and `sandbox_ended` as they happen",
  options: [
    {
      flags: "--port <n>",
      help: "of 127.0.0.1; left out: 9229 (Node.js) or 5678 (Python); 0: any free one",
    },
    {
      flags: "--wait",
      help: "load the code once a debugger is attached, to stop in what runs while it is loaded",
    },
  ],
  async run(context, [name = ""], options) {
    const port = integerOption(options, "port", "--port");
    if (port !== undefined && port > PORT_MAX)
      throw usageFailure(`--port takes a number up to ${PORT_MAX}, given: ${port}`);
    const asked = { name, waits: options.wait === true, ...(port !== undefined && { port }) };
    await debugFunction(context, asked, context.signal);
    return { json: undefined, text: "" };
  },
};

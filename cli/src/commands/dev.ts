import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Client } from "@isola/client";
import { listOption, textOption } from "../arguments.ts";
import { type Command, type Context, Failure, type Options, exitCodes } from "../command.ts";
import { isThisMachine } from "../connection.ts";
import { DEFINITION_FILE, type Definitions, readDefinitions } from "../deploy/definition.ts";
import { settingOptions } from "../deploy/setting-flags.ts";
import { type DevEvent, DevText } from "../dev/dev-events.ts";
import { type DevServer, findDevServer } from "../dev/dev-server.ts";
import { DevSession } from "../dev/dev-session.ts";
import { InspectedFunctions } from "../dev/inspected-functions.ts";
import { watchStop } from "../dev/stop-wishes.ts";
import { variableOptions, variablesOf } from "./deploy.ts";

const REMOVE_MS_MAX = 10_000;

export const devCommand: Command = {
  usage: "dev [dir]",
  isOfProject: true,
  summary:
    "Deploy the functions of a folder at every save, and show their logs, calls and errors; starts a server where none answers",
  positionals: {
    dir: { help: "with isola.yaml, or a function's own; left out: this one", completes: "folder" },
  },
  details: [
    "At every save of code or of `isola.yaml` what has changed is deployed and loaded; functions that have not changed keep their sandboxes. Ends with Ctrl-C. More: [dev.md](dev.md).",
  ],
  examples: [
    { line: "isola dev", says: "the functions of this folder" },
    {
      line: "isola dev --own-server --json",
      says: "a server for this folder alone, events for a program",
    },
  ],
  json: "an object a line, by its `event`: `server`, `deployed`, `ready`, `removed`, `build`, `log`, `call`, `error`, `debugger`, `note`",
  options: [
    ...settingOptions,
    ...variableOptions,
    { flags: "--adopt", help: "take over functions of other applications" },
    { flags: "--own-server", help: "start a server of its own, whoever answers" },
    {
      flags: "--inspect",
      help: "a port for debuggers for each function; 9229 (Node.js) and 5678 (Python) for the first of each, where they are free",
    },
    { flags: "--remote", help: "the server may be on another machine" },
    { flags: "--rm", help: "at the end remove the functions that were not there before" },
  ],
  async run(context, [dir = "."], options) {
    const folder = resolve(context.cwd, dir);
    const read = reader(context, folder, options);
    const names = read().definitions.map(({ name }) => name);
    const stop = watchStop(context.signal);
    const { signal } = stop;
    let server: DevServer | null = null;
    try {
      const project = textOption(options, "project") ?? context.env.ISOLA_PROJECT;
      server = await findDevServer(context, {
        ...{ folder, project, signal },
        isOwn: options.ownServer === true,
        isRemote: options.remote === true,
      });
      stop.onSecond(() => server?.kill());
      const { client, url, isOwn } = server;
      const tell = teller(context, names);
      tell({ event: "server", url, isOwn });
      if (isOwn && project !== undefined)
        tell({
          event: "note",
          text: `the functions are in its project default, not in ${project}`,
        });
      const ended = new AbortController();
      void server.ended.then(() => ended.abort());
      const running = AbortSignal.any([signal, ended.signal]);
      const inspected = new InspectedFunctions({ client, tell, signal: running });
      const session = new DevSession({
        ...{ client, folder, cwd: context.cwd, read, tell },
        adopts: options.adopt === true,
        isNear: isThisMachine(new URL(url).hostname),
        ...(options.inspect === true && { afterDeploy: [inspected.afterDeploy] }),
        signal: running,
      });
      await session.run();
      if (!signal.aborted)
        throw new Failure(
          `the server of this command has ended; ${folder}/.isola/server.log may say why`,
        );
      if (!isOwn) await leave(context, client, session.created, options.rm === true);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await server?.close();
      stop.close();
    }
    return { json: undefined, text: "", exitCode: exitCodes.interrupted };
  },
};

/** A file that has gone for a moment does not make the folder itself the function. */
function reader(context: Context, folder: string, options: Options): () => Definitions {
  const file = join(folder, DEFINITION_FILE);
  const isThere = existsSync(file);
  const varFiles = listOption(options, "varFile").map((path) => resolve(context.cwd, path));
  return () => {
    if (isThere && !existsSync(file))
      throw new Failure(`${file} has gone; its functions stay as they are`);
    const all = readDefinitions(folder, options, variablesOf(context, options));
    return { ...all, files: [...all.files, ...varFiles] };
  };
}

function teller(context: Context, names: readonly string[]): (event: DevEvent) => void {
  const text = new DevText();
  text.expect(names);
  return (event) => {
    if (context.isJson) return context.emit({ json: event, text: "" });
    if ("function" in event && event.function !== null) text.expect([event.function]);
    for (const line of text.lines(event)) context.emit({ json: undefined, ...line });
  };
}

/** What becomes of the functions on a server that goes on. */
async function leave(
  context: Context,
  client: Client,
  created: ReadonlySet<string>,
  isRemoving: boolean,
): Promise<void> {
  if (!isRemoving) return context.note("The functions stay deployed; --rm removes new ones.");
  const signal = AbortSignal.timeout(REMOVE_MS_MAX);
  for (const name of created) {
    await client.deleteFunction(name, { signal });
    context.note(`${name}: removed`);
  }
}

import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { ApiError, type Client, createClient } from "@isola/client";
import { type Context, Failure, usageFailure } from "../command.ts";
import { findConnection, isThisMachine } from "../connection.ts";
import { devDataOf, startOwnServer } from "./own-server.ts";

const PROBE_MS = 3000;
/** For a server that somebody else starts. */
const START_MS_MAX = 20_000;
const ASK_MS = 100;

/** The server that functions are deployed to. */
export interface DevServer {
  client: Client;
  url: string;
  /** It was started for this command and ends with it. */
  isOwn: boolean;
  /** Resolves when one of our own has ended; never for another. */
  ended: Promise<void>;
  close(): Promise<void>;
  kill(): void;
}

export interface DevServerWishes {
  /** With isola.yaml. */
  folder: string;
  project: string | undefined;
  /** One of our own, whoever answers. */
  isOwn: boolean;
  /** It may be on another machine. */
  isRemote: boolean;
  signal: AbortSignal;
}

/**
 * The server that the command line is set to, where it answers; one that another `isola dev` has started for this folder; else one that is started. Rejects where a server that was named does not
 * answer or is on another machine without leave.
 */
export async function findDevServer(context: Context, wishes: DevServerWishes): Promise<DevServer> {
  const found = wishes.isOwn ? null : await runningServer(context, wishes);
  if (found !== null) return found;
  context.note("starting a server in .isola (ends with this command) ...");
  const own = await startOwnServer(wishes.folder, context.env, wishes.signal);
  if (own === null) return await startingOne(wishes);
  // Nobody else is there: the project is `default`.
  return { ...own, client: createClient({ ...own, retries: 0 }), isOwn: true };
}

/** null: none answers, and none was named. */
async function runningServer(context: Context, wishes: DevServerWishes): Promise<DevServer | null> {
  const { env, connection } = context;
  const isNamed = Boolean(env.ISOLA_URL || env.ISOLA_DATA) || connection.context !== null;
  if (!isNamed) return (await ofFolder(wishes)) ?? (await usual(context, wishes));
  refuseRemote(context, wishes);
  await probe(context.client, wishes.signal);
  return foreign(context.client, context.url);
}

/** That of another `isola dev` in this folder, which begins at the same time. */
async function startingOne(wishes: DevServerWishes): Promise<DevServer> {
  for (const end = performance.now() + START_MS_MAX; performance.now() < end; ) {
    const found = await ofFolder(wishes);
    if (found !== null) return found;
    await delay(ASK_MS, undefined, { signal: wishes.signal });
  }
  throw new Failure(
    `another server has ${devDataOf(wishes.folder)} and does not answer: end it, or look into .isola/server.log`,
  );
}

/** What another `isola dev` in this folder has started. */
async function ofFolder({ folder, project, signal }: DevServerWishes): Promise<DevServer | null> {
  const data = devDataOf(folder);
  if (!existsSync(data)) return null;
  const connection = findConnection({ env: { ISOLA_DATA: data }, cwd: folder });
  if (connection.urlSource.startsWith("the default")) return null; // it does not run
  const client = createClient({ ...connection, retries: 0, ...(project && { project }) });
  return (await answers(client, signal)) ? foreign(client, connection.url) : null;
}

/** That of the checkout, or on the usual port. */
async function usual(context: Context, wishes: DevServerWishes): Promise<DevServer | null> {
  if (!(await answers(context.client, wishes.signal))) return null;
  refuseRemote(context, wishes);
  return foreign(context.client, context.url);
}

function refuseRemote({ url, urlSource }: Context, { isRemote }: DevServerWishes): void {
  if (isRemote || isThisMachine(new URL(url).hostname)) return;
  throw usageFailure(
    `${url} (from ${urlSource}) is on another machine, and every save would change what runs there: add --remote to mean that, or --own-server for one here`,
  );
}

/** Whether Isola answers there and takes our key. */
async function answers(client: Client, signal: AbortSignal): Promise<boolean> {
  try {
    await probe(client, signal);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError) && !(error instanceof Failure)) throw error;
    return false; // nobody, somebody else, or a server of somebody else
  }
}

async function probe(client: Client, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(PROBE_MS);
  try {
    await client.listFunctions({ limit: 1 }, { signal: AbortSignal.any([signal, limit]) });
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new Failure(`the server does not answer within ${PROBE_MS} ms`);
  }
}

function foreign(client: Client, url: string): DevServer {
  const never = new Promise<void>(() => {});
  return { client, url, isOwn: false, ended: never, async close() {}, kill() {} };
}

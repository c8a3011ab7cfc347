import type Dockerode from "dockerode";
import { IsolaError, messageOf } from "../errors.ts";
import { type Engine, askEngine } from "./engine.ts";
import { type EngineWork, followEngine } from "./engine-stream.ts";
import { type ImageRuntime, labels, offlineBaseName, publicBase } from "./image-inputs.ts";

/**
 * The base of a runtime's image: what the operator chose, else the public one, but for an engine that has not got it and has one made of packages
 * (`isola images build --offline`). Nothing is fetched here.
 */
export async function chooseBase(
  engine: Engine,
  runtime: ImageRuntime,
  { chosen, repository }: { chosen: string | null; repository: string },
): Promise<string> {
  if (chosen !== null) return chosen;
  const known = publicBase(runtime);
  if (await hasImage(engine, known)) return known;
  const name = offlineBaseName(repository, runtime);
  return (await newestOfflineBase(engine, runtime, name)) ?? known;
}

export async function hasImage(engine: Engine, reference: string): Promise<boolean> {
  return (await imageId(engine, reference)) !== null;
}

/** `sha256:...`, or null where the engine has no image of that name. */
export async function imageId(engine: Engine, reference: string): Promise<string | null> {
  const what = `look for ${reference}`;
  const options = { absent: null };
  return askEngine(engine, what, (docker, signal) => inspect(docker, reference, signal), options);
}

/** dockerode's own `inspect` cannot be given up. */
function inspect({ modem }: Dockerode, reference: string, signal: AbortSignal): Promise<string> {
  const call = {
    path: `/images/${reference}/json`,
    method: "GET",
    abortSignal: signal,
    statusCodes: { 200: true, 404: "no such image", 500: "server error" },
  };
  return new Promise((resolve, reject) => {
    modem.dial(call, (error: Error | null, image) => {
      if (error) reject(error);
      else resolve((image as { Id: string }).Id);
    });
  });
}

async function newestOfflineBase(
  engine: Engine,
  runtime: ImageRuntime,
  name: string,
): Promise<string | null> {
  // What was built of a base has its label too.
  const filters = {
    reference: [name],
    label: [`${labels.base}=${runtime.name}`],
  };
  const images = await askEngine(engine, "list images", (docker, abortSignal) =>
    docker.listImages({ filters, abortSignal }),
  );
  const tags = images
    .sort((a, b) => b.Created - a.Created)
    .flatMap(({ RepoTags }) => RepoTags ?? []);
  // One of an earlier version of the runtime does not do.
  return tags.find((tag) => tag.startsWith(`${name}:${runtime.version}-`)) ?? null;
}

/** Fetches the base where the engine has not got it; `isFresh`: in any case. Rejects with `driver_unavailable` that says what would do instead. */
export async function ensureBase(
  engine: Engine,
  base: string,
  work: Omit<EngineWork, "what"> & { isFresh: boolean },
): Promise<void> {
  if (!work.isFresh && (await hasImage(engine, base))) return;
  work.onProgress(`fetching the base image ${base}`);
  try {
    await pull(engine, base, work);
  } catch (cause) {
    if (cause instanceof IsolaError && cause.code === "shutting_down") throw cause;
    const text = `the base image ${base} could not be fetched. Where there is no registry, \`isola images build --offline\` makes one of Debian packages; another reference is a setting (dockerBaseNodejs, dockerBasePython). ${messageOf(cause)}`;
    throw new IsolaError("driver_unavailable", text, { cause });
  }
}

async function pull(
  engine: Engine,
  reference: string,
  work: Omit<EngineWork, "what">,
): Promise<void> {
  await followEngine(
    engine,
    { ...work, what: `fetch ${reference}` },
    (abortSignal) =>
      engine.docker.pull(reference, { abortSignal }) as Promise<NodeJS.ReadableStream>,
  );
}

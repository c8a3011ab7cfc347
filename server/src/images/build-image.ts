import type Dockerode from "dockerode";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { type Engine, askEngine } from "./engine.ts";
import { type EngineWork, followEngine } from "./engine-stream.ts";
import { type ImageInputs, labels } from "./image-inputs.ts";

/** Builds the image and gives it its name. Where that fails nothing of it is left in the engine. */
export async function buildImage(
  engine: Engine,
  inputs: ImageInputs,
  work: Omit<EngineWork, "what">,
): Promise<void> {
  const what = `build ${inputs.reference}`;
  try {
    await followEngine(engine, { ...work, what }, (signal) =>
      engine.docker.buildImage(contextOf(inputs), {
        t: inputs.reference,
        buildargs: inputs.buildArguments,
        networkmode: "none",
        nocache: true,
        rm: true,
        forcerm: true,
        version: "1",
        abortSignal: signal,
      }),
    );
  } catch (error) {
    await removeRemains(engine, inputs.digest);
    throw error;
  }
}

/** Steps that were made before one failed. They are known by the label that is set first. */
async function removeRemains(engine: Engine, digest: string): Promise<void> {
  const filters = { dangling: ["true"], label: [`${labels.inputs}=${digest}`] };
  try {
    const images = await askEngine(engine, "list images", (docker, abortSignal) =>
      docker.listImages({ all: true, filters, abortSignal }),
    );
    for (const { Id } of images) await removeQuietly(engine, Id);
  } catch {
    // The engine does not answer, which is what the build failed of; `isola images prune` removes them later.
  }
}

/** Removes it where nothing needs it. Never rejects. */
export async function removeQuietly(engine: Engine, id: string): Promise<void> {
  const remove = (docker: Dockerode, abortSignal: AbortSignal) =>
    docker.getImage(id).remove({ abortSignal });
  await askEngine(engine, "remove an image", remove).catch(() => {}); // in use, or gone with another: `isola images prune` finds what is left
}

/** Equal inputs give equal bytes: time 0, owner 0, modes 0644 and 0755. */
function contextOf({ files, folders }: ImageInputs): Readable {
  const tar = pack();
  const mtime = new Date(0);
  for (const name of folders) tar.entry({ name, type: "directory", mode: 0o755, mtime });
  for (const { path, bytes } of files) tar.entry({ name: path, mode: 0o644, mtime }, bytes);
  tar.finalize();
  return Readable.from(tar as AsyncIterable<Buffer>);
}

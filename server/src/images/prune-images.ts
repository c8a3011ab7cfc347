import type { IsolaError } from "../errors.ts";
import { messageOf } from "../errors.ts";
import { type Engine, askEngine } from "./engine.ts";
import { workDeadlines } from "./engine-stream.ts";
import type { ListedImage } from "./list-images.ts";

export interface PrunedImages {
  /** References, or ids where an image had none. */
  removed: string[];
  kept: { reference: string; reason: string }[];
}

/** What has no name and is younger than a build may last may be a step of one under way, here or in another process. */
const NAMELESS_AGE_MS = workDeadlines.totalMs;

/** Removes outdated images, and bases that none of `listed` that stays was built of. The engine refuses to remove what a container is made of; that is kept, and said. */
export async function pruneImages(
  engine: Engine,
  listed: readonly ListedImage[],
  nowMs: number,
): Promise<PrunedImages> {
  const staying = listed.filter(({ state }) => state === "current" || state === "missing");
  const isNeeded = ({ reference }: ListedImage) => staying.some(({ base }) => base === reference);
  const surplus = listed.filter(
    (image) => image.state === "outdated" || (image.state === "base" && !isNeeded(image)),
  );
  const pruned: PrunedImages = { removed: [], kept: [] };
  for (const { reference, id, createdAtMs } of surplus) {
    const name = reference ?? (id as string);
    const isYoung = reference === null && nowMs - (createdAtMs ?? 0) < NAMELESS_AGE_MS;
    const reason = isYoung ? "it may be of a build under way" : await refusal(engine, name);
    if (reason === null) pruned.removed.push(name);
    else pruned.kept.push({ reference: name, reason });
  }
  return pruned;
}

/** Why the engine keeps the image; null once it is gone. */
async function refusal(engine: Engine, name: string): Promise<string | null> {
  const what = `remove ${name}`;
  try {
    await askEngine(
      engine,
      what,
      (docker, abortSignal) => docker.getImage(name).remove({ abortSignal }),
      { absent: null },
    );
    return null;
  } catch (error) {
    const { cause } = error as IsolaError;
    const isInUse = (cause as { statusCode?: number } | undefined)?.statusCode === 409;
    if (!isInUse) throw error;
    return (cause as { json?: { message?: string } }).json?.message ?? messageOf(cause);
  }
}

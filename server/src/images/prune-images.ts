import { IsolaError, messageOf } from "../errors.ts";
import { type Engine, askEngine } from "./engine.ts";
import type { ListedImage } from "./list-images.ts";

export interface PrunedImages {
  /** References, or ids where an image had none. */
  removed: string[];
  kept: { reference: string; reason: string }[];
}

/** Removes outdated images, and bases that none of `listed` that stays was built of. The engine refuses to remove what a container is made of; that is kept, and said. */
export async function pruneImages(
  engine: Engine,
  listed: readonly ListedImage[],
): Promise<PrunedImages> {
  const staying = listed.filter(({ state }) => state === "current" || state === "missing");
  const isNeeded = ({ reference }: ListedImage) => staying.some(({ base }) => base === reference);
  const surplus = listed.filter(
    (image) => image.state === "outdated" || (image.state === "base" && !isNeeded(image)),
  );
  const pruned: PrunedImages = { removed: [], kept: [] };
  for (const { reference, id } of surplus) {
    const name = reference ?? (id as string);
    const reason = await refusal(engine, name);
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

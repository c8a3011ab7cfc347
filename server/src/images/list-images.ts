import { type Engine, askEngine } from "./engine.ts";
import { type ImageInputs, type ImagePlace, labels } from "./image-inputs.ts";

/**
 * `current`: sandboxes are made of it. `missing`: it would be built. `outdated`: of an earlier version of the runtime, its base or ours. `base`: made of
 * packages, for images that are built of it.
 */
export type ImageState = "current" | "missing" | "outdated" | "base";

export interface ListedImage {
  runtime: string;
  /** Null where an image has lost its name to a newer one. */
  reference: string | null;
  state: ImageState;
  /** Null where it is missing, as are bytes and age. */
  id: string | null;
  bytes: number | null;
  createdAtMs: number | null;
  /** What it was built of, or would be; null for a base. */
  base: string | null;
}

/** Images of ours, those of `current` first; every one of them is there, though it be missing. */
export async function listImages(
  engine: Engine,
  { repository }: ImagePlace,
  current: readonly ImageInputs[],
): Promise<ListedImage[]> {
  const found = await askEngine(engine, "list images", async (docker, abortSignal) => [
    ...(await docker.listImages({ filters: { label: [labels.runtime] }, abortSignal })),
    ...(await docker.listImages({ filters: { label: [labels.base] }, abortSignal })),
  ]);
  const byId = new Map(found.map((image) => [image.Id, image]));
  const listed = [...byId.values()].flatMap((image) => {
    const known = image.Labels ?? {};
    if (!belongs(known, repository)) return [];
    const runtime = known[labels.runtime] ?? (known[labels.base] as string);
    const isBase = known[labels.runtime] === undefined;
    const shared = {
      ...{ runtime, id: image.Id, bytes: image.Size, createdAtMs: image.Created * 1000 },
      base: isBase ? null : (known[labels.from] ?? null),
    };
    const tags = (image.RepoTags ?? []).filter((tag) => tag.startsWith(`${repository}/`));
    return (tags.length === 0 ? [null] : tags).map((reference): ListedImage => {
      const isCurrent = current.some((inputs) => inputs.reference === reference);
      const state = isCurrent ? "current" : isBase && reference !== null ? "base" : "outdated";
      return { ...shared, reference, state };
    });
  });
  return inOrder([...missing(current, listed), ...listed]);
}

/** Two checkouts may share an engine; each repository of names is looked after alone. */
function belongs(known: Record<string, string>, repository: string): boolean {
  return known[labels.repository] === repository;
}

function missing(current: readonly ImageInputs[], listed: readonly ListedImage[]): ListedImage[] {
  return current
    .filter(({ reference }) => !listed.some((image) => image.reference === reference))
    .map(({ runtime, reference, base }) => ({
      ...{ runtime: runtime.name, reference, state: "missing", base },
      ...{ id: null, bytes: null, createdAtMs: null },
    }));
}

const order: readonly ImageState[] = ["missing", "current", "base", "outdated"];

function inOrder(images: ListedImage[]): ListedImage[] {
  return images.sort(
    (a, b) =>
      order.indexOf(a.state) - order.indexOf(b.state) ||
      (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0),
  );
}

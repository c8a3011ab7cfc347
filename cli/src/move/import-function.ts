import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { ChangeOptions, Client } from "@isola/client";
import type { ExportManifest } from "@isola/api/export-manifest";
import type { ChangedFunction, CreateFunction } from "@isola/api/functions";
import { Failure } from "../command.ts";
import { findFunction } from "../deploy/plan.ts";
import { entriesOfTar } from "../deploy/deployed-files.ts";
import { zipOf } from "../deploy/package-files.ts";

/** On a function whose import has not ended. */
const UNFINISHED_LABEL = "isola.import";
const REMOVE_MS_MAX = 30_000;

export interface Import {
  client: Client;
  signal: AbortSignal;
  note(text: string): void;
  name: string;
  manifest: ExportManifest;
  /** Settings of each revision of the manifest. */
  revisions: readonly Record<string, unknown>[];
  codePath(digest: string): string;
}

export interface Imported {
  fn: ChangedFunction;
  /** The number of each exported revision here. */
  numbers: Record<number, number>;
}

/**
 * Makes the function anew, revision by revision from the oldest, and then points `live` where it was. Each is live for as long as it is the newest. A failure, or Ctrl-C, removes
 * what was made; a process that is killed leaves a function with the label `isola.import`.
 */
export async function importFunction(work: Import): Promise<Imported> {
  const { client, name, manifest } = work;
  const maker = new RevisionMaker(work);
  try {
    for (const at of manifest.revisions.keys()) await maker.make(at);
    return await maker.finish();
  } catch (error) {
    await removeOwn(client, name, maker.mark).catch((left: Error) => {
      throw new Failure(
        `${(error as Error).message}\n  and what may have been made of ${name} could not be removed (${left.message}): isola rm ${name}`,
      );
    });
    throw error;
  }
}

/** Removes the function if it is the one that this import has made. */
async function removeOwn(client: Client, name: string, mark: string): Promise<void> {
  const signal = AbortSignal.timeout(REMOVE_MS_MAX);
  const fn = await findFunction(client, name);
  if (fn?.labels[UNFINISHED_LABEL] !== mark) return;
  await client.deleteFunction(name, { signal, ifMatch: fn.etag });
}

class RevisionMaker {
  /** Value of the label by which this import knows what it has made. */
  readonly mark = randomUUID();
  readonly #work: Import;
  readonly #numbers: Record<number, number> = {};
  #fn: ChangedFunction | null = null;

  constructor(work: Import) {
    this.#work = work;
  }

  /** The revision at this place of the manifest, which follows the one before. */
  async make(at: number): Promise<void> {
    const { manifest, name } = this.#work;
    const { codeDigest, revision } = manifest.revisions[at] as ExportManifest["revisions"][number];
    this.#fn = at === 0 ? await this.#create() : await this.#add(at);
    if (this.#fn.latestRevision !== at + 1) this.#fn = await this.#putCode(at);
    if (this.#fn.codeDigest !== codeDigest)
      throw new Failure(
        `the code of revision ${revision} of ${name} came out as another: ${this.#fn.codeDigest}`,
      );
    this.#numbers[revision] = this.#fn.latestRevision;
  }

  async finish(): Promise<Imported> {
    const { client, name, manifest } = this.#work;
    const live = this.#numbers[manifest.live] as number;
    if (live !== this.#fn?.liveRevision)
      this.#fn = await client.rollback(name, { revision: live }, this.#options());
    const { labels } = manifest.function;
    const fn = await client.patchFunction(name, { labels }, this.#options());
    return { fn, numbers: this.#numbers };
  }

  async #create(): Promise<ChangedFunction> {
    const { client, name, manifest, revisions } = this.#work;
    const { description, labels } = manifest.function;
    const body = {
      ...{ name, description, labels: { ...labels, [UNFINISHED_LABEL]: this.mark } },
      ...revisions[0],
      code: await this.#code(0),
    };
    return client.createFunction(body as unknown as CreateFunction, this.#options());
  }

  async #add(at: number): Promise<ChangedFunction> {
    const { client, name, manifest, revisions } = this.#work;
    const isSameCode =
      manifest.revisions[at]?.codeDigest === manifest.revisions[at - 1]?.codeDigest;
    const settings = revisions[at] as Record<string, unknown>;
    if (isDeepStrictEqual(settings, revisions[at - 1])) return this.#putCode(at);
    const code = isSameCode ? {} : { code: await this.#code(at) };
    return client.patchFunction(name, { ...settings, ...code }, this.#options());
  }

  /** Makes a revision also where nothing differs. */
  async #putCode(at: number): Promise<ChangedFunction> {
    const { client, name } = this.#work;
    const tar = new Uint8Array(await readFile(this.#pathOf(at)));
    return client.putCode(name, { tar }, this.#options());
  }

  async #code(at: number): Promise<{ zip: string }> {
    const { files, folders } = entriesOfTar(await readFile(this.#pathOf(at)));
    return { zip: (await zipOf(files, folders)).toString("base64") };
  }

  #pathOf(at: number): string {
    const { manifest, codePath } = this.#work;
    return codePath(manifest.revisions[at]?.codeDigest ?? "");
  }

  #options(): ChangeOptions {
    const { signal, name, note } = this.#work;
    const onOutput = (text: string) => note(`${name} | ${text}`);
    return { signal, onOutput, ...(this.#fn && { ifMatch: this.#fn.etag }) };
  }
}

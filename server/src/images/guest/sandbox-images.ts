import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OnProgress } from "../engine-stream.ts";
import type { GuestRuntime } from "./guest-runtime.ts";
import { GuestTree } from "./guest-tree.ts";
import { Parts } from "./parts.ts";
import { addTools, viewTree } from "./root-tree.ts";
import { fillWithImage, imageName } from "./tree-image.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

export interface SandboxImagesOptions {
  /** Where they are kept from life to life. */
  folder: string;
  /** The platform's folder inside. */
  platform: string;
  /** Of ours, in every sandbox, and their paths inside. */
  programs: readonly { path: string; bytes: Buffer }[];
  onProgress: OnProgress;
}

export interface ImageContent {
  /** The tools of builds are in it. */
  hasTools: boolean;
  /** Empty files, on which something is mounted: in what is read-only no other place can be made. */
  places: readonly string[];
}

/**
 * File systems of sandboxes as read-only images: what the process driver shows of this machine, copied once, so that no file of the host is open to a sandbox. Each
 * is named for what is in it, made when it is missing, and looked at once in a life. Open until `close`, which ends work under way.
 */
export class SandboxImages {
  readonly #options: SandboxImagesOptions;
  readonly #parts: Parts;
  readonly #closing = new AbortController();
  readonly #known = new Map<string, Promise<string>>();
  /** One after the other: what two need is made once. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SandboxImagesOptions) {
    this.#options = options;
    this.#parts = new Parts(options.folder);
  }

  /** Path of the image of a runtime. Rejects with `driver_unavailable` that says what would help. */
  of(runtime: GuestRuntime, { hasTools, places }: ImageContent): Promise<string> {
    const { platform } = this.#options;
    const text = [runtime.name, ...(hasTools ? ["tools"] : []), ...places].join(" + ");
    return this.#once(text, `${runtime.version} ${runtime.executable}`, async () => {
      const tree = await viewTree({ root: ROOT, platform }, runtime);
      if (hasTools) addTools(tree, platform, runtime);
      for (const path of places) tree.add(path, { kind: "text", text: "" });
      return tree;
    });
  }

  /** One with our programs alone, to try a sandbox with. */
  trial(): Promise<string> {
    return this.#once("trials", "", async () => new GuestTree());
  }

  close(): void {
    this.#closing.abort();
  }

  #once(text: string, version: string, treeOf: () => Promise<GuestTree>): Promise<string> {
    const key = `${text} ${version}`;
    const found = this.#known.get(key) ?? this.#ensure(text, treeOf);
    this.#known.set(key, found);
    // It may be possible the next time.
    found.catch(() => this.#known.delete(key));
    return found;
  }

  #ensure(text: string, treeOf: () => Promise<GuestTree>): Promise<string> {
    const done = this.#last.then(async () => await this.#make(text, await treeOf()));
    this.#last = done.catch(() => {}); // told to who asked for it
    return done;
  }

  async #make(text: string, tree: GuestTree): Promise<string> {
    const { programs, onProgress } = this.#options;
    for (const { path, bytes } of programs)
      tree.add(path, { kind: "program", base64: bytes.toString("base64") });
    for (const path of ["/proc", "/sys", "/dev", "/tmp", "/var/task"])
      tree.add(path, { kind: "folder" });
    const inputs = createHash("sha256").update(`aligned ${tree.digest}`).digest("hex");
    let part = await this.#parts.find("root", inputs);
    if (part === null) {
      part = await this.#parts.make("root", inputs, async (folder) => {
        onProgress(`making the image of sandboxes for ${text}`);
        await fillWithImage(folder, tree, "aligned", { onProgress, signal: this.#closing.signal });
        return text;
      });
      await this.#dropOthers(text, part.name);
    }
    return join(part.folder, imageName("erofs"));
  }

  /** Earlier ones of the same. What a running sandbox has open stays with it until its end. */
  async #dropOthers(text: string, kept: string): Promise<void> {
    const all = await this.#parts.list();
    const others = all.filter((part) => part.text !== text || part.name === kept);
    await this.#parts.removeAllBut(new Set(others.map(({ name }) => name)));
  }
}

import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CheckedPackage, readPackage } from "../artifacts/read-package.ts";
import { defaultPackageLimits } from "../artifacts/package-limits.ts";
import type { Artifact, Layer, RevisionSettings } from "../domain/function.ts";
import { MiB, fixedLimits } from "../domain/limits.ts";
import { IsolaError } from "../errors.ts";
import { failPoint } from "../fail-points.ts";
import { buildFailure } from "./build-failure.ts";
import type { BuildSockets } from "./build-sockets.ts";
import { builderFiles, builderInput, digestOf } from "./builder-input.ts";
import { type BuildPlan, type Mirrors, planBuild } from "./plan-build.ts";
import type { BuildArtifacts, BuildGateway } from "./ports.ts";
import { type PackageSources, readSources } from "./read-sources.ts";
import { requirementFiles } from "./requirement-lines.ts";

/** What a sandbox answers with is held against this while it comes, in the bounds of a streamed response. */
const OUTPUT_BYTES_MAX = fixedLimits.responseBodyStreamedBytesMax;
/** What the builder and the certificates need beside what it builds from. */
const BUILDER_BYTES = 2 * MiB;
const TAR_OVERHEAD_BYTES_PER_ENTRY = 1536;
/** Requirements that include others: how often the package is read for them, and how many files are. */
const PASSES_MAX = 5;
const INCLUDED_MAX = 64;
const OUTPUT_NAME = /^build-[\w-]+\.tar$/;

export interface LayerBuildsOptions {
  artifacts: BuildArtifacts;
  gateway: BuildGateway;
  sockets: BuildSockets;
  mirrors: Mirrors;
  timeoutMs: number;
  memoryMiB: number;
  /** A private folder, for what is on its way. */
  tempDir: string;
}

/** A package and how it is to run. */
export interface BuildRequest {
  project: string;
  name: string;
  artifact: Artifact;
  settings: Pick<RevisionSettings, "runtime" | "driver" | "handler" | "build">;
}

export interface PlannedBuild {
  /** Equal for builds that make the same. */
  key: string;
  /** Runs it in a sandbox. Rejects with `build_failed`, whose `details` hold the end of the output, or with what the platform failed in. */
  run(id: string, signal: AbortSignal): Promise<Layer>;
}

/** Plans builds and runs each in a sandbox; what comes back is checked like an upload. */
export class LayerBuilds {
  readonly #options: LayerBuildsOptions;
  readonly #builders = { nodejs: builderFiles("nodejs"), python: builderFiles("python") };

  constructor(options: LayerBuildsOptions) {
    this.#options = options;
  }

  /** null: the package is taken as it is. Rejects with `invalid_package`. */
  async plan(request: BuildRequest): Promise<PlannedBuild | null> {
    const { mirrors } = this.#options;
    const sources = await this.#sourcesOf(request);
    const plan = planBuild(sources, request.settings, mirrors);
    if (plan === null) return null;
    return {
      key: this.#keyOf(plan, request, sources),
      run: (id, signal) => this.#run({ id, plan, request, sources }, signal),
    };
  }

  /** Removes what builds of an earlier life left on their way. */
  async removeLeftovers(): Promise<void> {
    const { tempDir } = this.#options;
    const left = (await readdir(tempDir)).filter((name) => OUTPUT_NAME.test(name));
    for (const name of left) await rm(join(tempDir, name), { force: true });
  }

  /** Once more for each step by which requirements include others. */
  async #sourcesOf({ artifact }: BuildRequest): Promise<PackageSources> {
    const { artifacts } = this.#options;
    const included = new Set<string>();
    for (let passes = 1; ; passes += 1) {
      const sources = await readSources(await artifacts.open(artifact.digest), included);
      const more = requirementFiles(sources).filter(
        (name) => name !== "requirements.txt" && !included.has(name),
      );
      if (more.length === 0 || passes === PASSES_MAX || included.size + more.length > INCLUDED_MAX)
        return sources;
      for (const name of more) included.add(name);
    }
  }

  #keyOf(plan: BuildPlan, request: BuildRequest, sources: PackageSources): string {
    const { settings, artifact, project } = request;
    const from = plan.only?.map((name) => [name, sources.text(name)]) ?? artifact.digest;
    const builder = digestOf(this.#builders[plan.family]);
    const { runtime, driver } = settings;
    const place = [process.platform, process.arch, driver, runtime];
    const parts = [project, builder, ...place, plan.place, plan.order, from];
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  }

  async #run(build: Build, signal: AbortSignal): Promise<Layer> {
    const { sockets, tempDir } = this.#options;
    const outputPath = join(tempDir, `build-${build.id}.tar`);
    const open = await sockets.open(build.id);
    try {
      await this.#runInSandbox(build, { outputPath, socket: open.socket }, signal);
      await failPoint("build.made");
      return await this.#keep(build.plan, outputPath);
    } finally {
      await open.close();
      await rm(outputPath, { force: true });
    }
  }

  async #runInSandbox(
    build: Build,
    places: { outputPath: string; socket: { from: string; at: string } },
    signal: AbortSignal,
  ): Promise<void> {
    const { gateway, timeoutMs, memoryMiB } = this.#options;
    const { id, plan, request } = build;
    const code = await this.#putInput(build);
    const onAbort = () => {
      gateway.request("cancelBuild", { id }).catch(() => {}); // without a gateway it has ended already
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      signal.throwIfAborted();
      const result = await gateway.request("build", {
        id,
        project: request.project,
        name: request.name,
        runtime: request.settings.runtime,
        driver: request.settings.driver,
        code,
        handler: plan.family === "nodejs" ? "builder.default" : "builder.app",
        timeoutMs,
        memoryMiB,
        ...places,
        outputBytesMax: OUTPUT_BYTES_MAX,
      });
      const failure = buildFailure(result, { timeoutMs, memoryMiB });
      if (failure !== null) throw failure;
    } finally {
      signal.removeEventListener("abort", onAbort);
      await this.#options.artifacts.remove(code.digest);
    }
  }

  /** No other build has the same, as the id is part of it. Its age protects it from the collection of garbage while the build runs. */
  async #putInput({ id, plan, request, sources }: Build): Promise<Artifact> {
    const { artifacts } = this.#options;
    const given = {
      plan,
      files: this.#builders[plan.family],
      more: { id, ...this.#room(request) },
    };
    const tar = () => builderInput(given, sources, () => artifacts.open(request.artifact.digest));
    const texts = (plan.only ?? []).map((name) => sources.text(name)?.length ?? 0);
    const inputBytes = plan.only === null ? request.artifact.unpackedBytes : sum(texts);
    return artifacts.put({
      entries: sources.paths.length,
      unpackedBytes: inputBytes + BUILDER_BYTES,
      tar,
    });
  }

  /** What the package leaves of the limits. */
  #room({ artifact }: BuildRequest): { bytesMax: number; entriesMax: number } {
    const { packageUnpackedBytesMax, packageEntriesMax } = fixedLimits;
    return {
      bytesMax: packageUnpackedBytesMax - artifact.unpackedBytes,
      entriesMax: packageEntriesMax - artifact.entries,
    };
  }

  async #keep(plan: BuildPlan, path: string): Promise<Layer> {
    const { artifacts, tempDir } = this.#options;
    const packageBytesMax =
      OUTPUT_BYTES_MAX + defaultPackageLimits.entriesMax * TAR_OVERHEAD_BYTES_PER_ENTRY;
    const limits = { ...defaultPackageLimits, packageBytesMax };
    let made: CheckedPackage;
    try {
      made = await readPackage({ kind: "tar", path }, { limits, tempDir });
    } catch (error) {
      throw notTaken(error);
    }
    try {
      const stray = made.paths.find((name) => !isBelow(name, plan.prefix));
      if (stray !== undefined)
        throw new IsolaError(
          "build_failed",
          `the build made ${JSON.stringify(stray.slice(0, 200))}, which is not below ${plan.prefix}`,
        );
      return { place: plan.place, artifact: await artifacts.put(made) };
    } finally {
      await made.close();
    }
  }
}

interface Build {
  id: string;
  plan: BuildPlan;
  request: BuildRequest;
  sources: PackageSources;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** The folders above it are there as well. */
function isBelow(name: string, prefix: string): boolean {
  return name.startsWith(prefix) || prefix.startsWith(`${name}/`);
}

/** The rules of uploads hold for what comes out of a sandbox; it is the package's dependencies that broke them. */
function notTaken(error: unknown): unknown {
  if (!(error instanceof IsolaError) || error.blame !== "caller") return error;
  return new IsolaError("build_failed", `what the build made cannot be taken: ${error.message}`, {
    cause: error,
  });
}

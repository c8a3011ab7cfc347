import type { Findings } from "../findings.ts";
import type { ImportedFunction } from "../imported.ts";
import { insteadOfLambda } from "../instead-of-lambda.ts";
import {
  type Known,
  type KnownMap,
  envOf,
  isKnownMap,
  numberOf,
  plainOf,
  shownValue,
} from "../known-values.ts";
import { codeOf, familyOf } from "../lambda-code.ts";
import type { SourceFolder } from "../source-folder.ts";
import { openToAll } from "../triggers.ts";
import { readEvents } from "./events.ts";

export interface Defaults {
  folder: SourceFolder;
  provider: KnownMap;
  /** By a plugin, or by what version 4 has built in. */
  isBundled: boolean;
}

/** The framework's own defaults (its reference of `functions`). */
const MEMORY_MIB = 1024;
const TIMEOUT_S = 6;

const taken = new Set(
  [
    "handler",
    "runtime",
    "memorySize",
    "timeout",
    "environment",
    "description",
    "events",
    "url",
  ].concat(["reservedConcurrency", "provisionedConcurrency", "name", "package"]),
);
/** What Isola needs no word of. */
const needless = new Set([
  "architecture",
  "tags",
  "logRetentionInDays",
  "disableLogs",
  "versionFunction",
  "module",
  "runtimeManagement",
  "snapStart",
  "awsKmsKeyArn",
  "kmsKeyArn",
]);
const instead: Record<string, string> = {
  layers: insteadOfLambda.layers,
  vpc: insteadOfLambda.vpc,
  role: insteadOfLambda.role,
  iamRoleStatements: insteadOfLambda.role,
  onError: insteadOfLambda.deadLetters,
  destinations: "there are no destinations: the function calls what comes next",
  maximumRetryAttempts: "a call is never made twice by Isola",
  maximumEventAge: "a call waits for `queueTimeoutMs` at most",
  fileSystemConfig: insteadOfLambda.fileSystem,
  tracing: insteadOfLambda.tracing,
  condition: "it is taken to hold",
  dependsOn: "there is nothing to wait for",
};

/** null, which is told, where it cannot run here. */
export function readFunction(
  name: string,
  value: Known | undefined,
  { defaults, findings }: { defaults: Defaults; findings: Findings },
): ImportedFunction | null {
  const place = `functions.${name}`;
  if (!isKnownMap(value)) {
    findings.leave(place, `${shownValue(value)} is no mapping that is known here`);
    return null;
  }
  const code = readCode(value, place, { defaults, findings });
  if (code === null) return null;
  leaveOthers(value, place, findings);
  const { provider } = defaults;
  const at = (key: string) => value[key] ?? provider[key];
  const { endpoints, schedules } = readEvents(value.events, place, findings);
  if (value.url) tellUrl(value.url, place, findings);
  const own = { missing: null, findings };
  return {
    place,
    name,
    ...code,
    description: plainOf(value.description),
    memoryMiB: numberOf(at("memorySize"), `${place}.memorySize`, { missing: MEMORY_MIB, findings }),
    timeoutMs: 1000 * numberOf(at("timeout"), `${place}.timeout`, { missing: TIMEOUT_S, findings }),
    env: {
      ...envOf(provider.environment, "provider.environment", findings),
      ...envOf(value.environment, `${place}.environment`, findings),
    },
    reservedConcurrency: numberOf(value.reservedConcurrency, `${place}.reservedConcurrency`, own),
    minSandboxes: numberOf(value.provisionedConcurrency, `${place}.provisionedConcurrency`, own),
    endpoints,
    schedules,
  };
}

function readCode(
  value: KnownMap,
  place: string,
  { defaults, findings }: { defaults: Defaults; findings: Findings },
) {
  if (value.image !== undefined && value.image !== null) {
    findings.leave(
      place,
      "is a container image; Isola runs code: deploy the folder that the image is made of",
    );
    return null;
  }
  const handler = plainOf(value.handler);
  if (handler === null) {
    findings.leave(place, `its handler is not known here: ${shownValue(value.handler)}`);
    return null;
  }
  const given = value.runtime ?? defaults.provider.runtime;
  const runtime = familyOf(
    plainOf(given) ?? (given ? shownValue(given) : "nodejs"),
    place,
    findings,
  );
  if (runtime === null) return null;
  const { folder, isBundled } = defaults;
  const module = plainOf(value.module); // of serverless-python-requirements: its folder
  const codeDir = module === null ? "." : module;
  return codeOf({ place, folder, codeDir, handler, runtime, isBundled }, findings);
}

function tellUrl(url: Known, place: string, findings: Findings): void {
  findings.change(place, "its function URL is its default route, /<name>");
  if (!isKnownMap(url)) return;
  if (url.authorizer && plainOf(url.authorizer) !== "none")
    findings.leave(`${place}.url`, openToAll);
  if (url.cors)
    findings.leave(
      `${place}.url.cors`,
      "answer OPTIONS and the access-control headers in the function",
    );
}

function leaveOthers(value: KnownMap, place: string, findings: Findings): void {
  for (const [key, one] of Object.entries(value)) {
    if (taken.has(key) || needless.has(key) || one === null) continue;
    findings.leave(`${place}.${key}`, instead[key] ?? "is not known to Isola");
  }
  if (isKnownMap(value.package)) {
    const hasArtifact = value.package.artifact !== undefined;
    findings.leave(
      `${place}.package`,
      hasArtifact
        ? "unpack the artifact and name its folder as `code` in isola.yaml"
        : "functions of one folder are packed alike: name what is not needed in .isolaignore",
    );
  }
}

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

export interface GivenFunction {
  name: string;
  resource: KnownMap;
  /** `Globals.Function`. */
  globals: KnownMap;
  /** Else it is CloudFormation's. */
  isSam: boolean;
  folder: SourceFolder;
}

/** Lambda's own defaults. */
const MEMORY_MIB = 128;
const TIMEOUT_S = 3;

const taken = new Set(
  [
    "Handler",
    "Runtime",
    "CodeUri",
    "Code",
    "MemorySize",
    "Timeout",
    "Environment",
    "Description",
  ].concat([
    "Events",
    "FunctionUrlConfig",
    "ReservedConcurrentExecutions",
    "ProvisionedConcurrencyConfig",
    "PackageType",
    "InlineCode",
  ]),
);
const needless = new Set([
  "FunctionName",
  "Architectures",
  "Tags",
  "AutoPublishAlias",
  "AutoPublishAliasAllProperties",
  "AutoPublishCodeSha256",
  "DeploymentPreference",
  "VersionDescription",
  "VersionDeletionPolicy",
  "SnapStart",
  "LoggingConfig",
  "RuntimeManagementConfig",
  "RecursiveLoop",
  "PropagateTags",
  "KmsKeyArn",
  "PermissionsBoundary",
  "AssumeRolePolicyDocument",
  "RolePath",
]);
const instead: Record<string, string> = {
  Layers: insteadOfLambda.layers,
  VpcConfig: insteadOfLambda.vpc,
  Role: insteadOfLambda.role,
  Policies: insteadOfLambda.role,
  Tracing: insteadOfLambda.tracing,
  TracingConfig: insteadOfLambda.tracing,
  DeadLetterQueue: insteadOfLambda.deadLetters,
  DeadLetterConfig: insteadOfLambda.deadLetters,
  EventInvokeConfig:
    "there are no destinations and no second attempts: the function calls what comes next",
  FileSystemConfigs: insteadOfLambda.fileSystem,
  EphemeralStorage: "say it with `tmpMiB` in isola.yaml, which counts in the memory",
  ImageConfig: "images are not run: a function is code",
};

/** null, which is told, where it cannot run here. */
export function readFunction(given: GivenFunction, findings: Findings): ImportedFunction | null {
  const place = `Resources.${given.name}`;
  const own = mapOf(given.resource.Properties);
  const at = (key: string) => own[key] ?? given.globals[key];
  const code = readCode(given, place, { at, findings });
  if (code === null) return null;
  if (given.resource.Condition !== undefined)
    findings.change(place, `Condition ${shownValue(given.resource.Condition)} is taken to hold`);
  leaveOthers({ ...given.globals, ...own }, place, findings);
  const url = own.FunctionUrlConfig ?? given.globals.FunctionUrlConfig;
  if (url) tellUrl(mapOf(url), place, findings);
  const provisioned = mapOf(at("ProvisionedConcurrencyConfig")).ProvisionedConcurrentExecutions;
  const none = { missing: null, findings };
  return {
    place,
    name: given.name,
    ...code,
    description: plainOf(at("Description")),
    memoryMiB: numberOf(at("MemorySize"), `${place}.MemorySize`, { missing: MEMORY_MIB, findings }),
    timeoutMs: 1000 * numberOf(at("Timeout"), `${place}.Timeout`, { missing: TIMEOUT_S, findings }),
    env: {
      ...envOf(
        mapOf(given.globals.Environment).Variables,
        "Globals.Function.Environment",
        findings,
      ),
      ...envOf(mapOf(own.Environment).Variables, `${place}.Environment`, findings),
    },
    reservedConcurrency: numberOf(
      at("ReservedConcurrentExecutions"),
      `${place}.ReservedConcurrentExecutions`,
      none,
    ),
    minSandboxes: numberOf(provisioned, `${place}.ProvisionedConcurrencyConfig`, none),
    ...readEvents(own.Events, place, findings),
  };
}

function mapOf(value: Known | undefined): KnownMap {
  return isKnownMap(value) ? value : {};
}

function readCode(
  { resource, folder, isSam }: GivenFunction,
  place: string,
  { at, findings }: { at: (key: string) => Known | undefined; findings: Findings },
) {
  if (plainOf(at("PackageType")) === "Image") {
    findings.leave(
      place,
      "is a container image; Isola runs code: deploy the folder that the image is made of",
    );
    return null;
  }
  const where = at(isSam ? "CodeUri" : "Code");
  if (at("InlineCode") || mapOf(where).ZipFile) {
    findings.leave(
      place,
      "its code stands in the template: save it as a file (index.js, or index.py) and name that folder",
    );
    return null;
  }
  const codeDir = where === undefined ? "." : plainOf(where);
  if (codeDir === null || codeDir.startsWith("s3://")) {
    findings.leave(
      place,
      `its code is not in this folder but ${shownValue(where)}: fetch it and name its folder`,
    );
    return null;
  }
  const handler = plainOf(at("Handler"));
  const named = at("Runtime");
  if (handler === null || named === undefined) {
    findings.leave(
      place,
      `its ${handler === null ? "handler" : "runtime"} is not known here: ${shownValue(handler === null ? at("Handler") : named)}`,
    );
    return null;
  }
  const runtime = familyOf(plainOf(named) ?? shownValue(named), place, findings);
  if (runtime === null) return null;
  const metadata = mapOf(resource.Metadata);
  const method = plainOf(metadata.BuildMethod);
  if (method !== null && !["esbuild", "nodejs", "python"].some((known) => method.startsWith(known)))
    findings.leave(
      `${place}.Metadata`,
      `the build by ${method} is not run: do it before you deploy`,
    );
  return codeOf(
    { place, folder, codeDir, handler, runtime, isBundled: method === "esbuild" },
    findings,
  );
}

function tellUrl(url: KnownMap, place: string, findings: Findings): void {
  findings.change(place, "its function URL is its default route, /<name>");
  if (plainOf(url.AuthType) !== "NONE") findings.leave(`${place}.FunctionUrlConfig`, openToAll);
  if (url.Cors)
    findings.leave(
      `${place}.FunctionUrlConfig.Cors`,
      "answer OPTIONS and the access-control headers in the function",
    );
}

function leaveOthers(properties: KnownMap, place: string, findings: Findings): void {
  for (const [key, value] of Object.entries(properties)) {
    if (taken.has(key) || needless.has(key) || value === null) continue;
    findings.leave(`${place}.${key}`, instead[key] ?? "is not known to Isola");
  }
}

import { usageFailure } from "../../command.ts";
import type { Findings } from "../findings.ts";
import type { Imported, ImportedFunction } from "../imported.ts";
import { type Known, type KnownMap, isKnownMap, plainOf, shownValue } from "../known-values.ts";
import { ignoredIn } from "../lambda-code.ts";
import type { SourceFolder } from "../source-folder.ts";
import { tellDifferences } from "../triggers.ts";
import type { TreeMap } from "../yaml-tree.ts";
import { type Defaults, readFunction } from "./function.ts";
import { packageLines } from "./package-lines.ts";
import { ServerlessVariables, mergedMaps } from "./variables.ts";

const bundlers = [
  "serverless-esbuild",
  "serverless-webpack",
  "serverless-bundle",
  "serverless-plugin-typescript",
  "serverless-vite",
];

/** Parts of the file that describe what Isola has not, and what to do instead. */
const sections: Record<string, string> = {
  resources:
    "there are no resources of a cloud: what the functions need (tables, buckets, queues) has to exist, and its address goes into `env`",
  layers:
    "there are no layers: name what they hold in package.json or requirements.txt, or copy it into the code",
  stepFunctions: "there are no state machines",
  outputs: "there are no outputs of a stack",
  constructs: "there are no resources of a cloud",
  stages: "isola.yaml has no stages: give the values of a stage as variables when you deploy",
};
const providerParts: Record<string, string> = {
  iam: "functions have no role: give them keys through `env` for what they call",
  iamRoleStatements: "functions have no role: give them keys through `env` for what they call",
  role: "functions have no role: give them keys through `env` for what they call",
  vpc: "there is no VPC: a function with the driver docker and `network: internet` reaches public addresses alone",
  layers: sections.layers as string,
  tracing: "tracing is a setting of the server (docs/tracing.md)",
  logRetentionInDays: "how long logs are kept is a setting of the server (docs/logs.md)",
  tags: "say it with `labels` in isola.yaml",
  kmsKeyArn: "values of `env` are kept as they are in the data folder",
  ecr: "images are not run: a function is code",
};

/** The functions of a service. Throws where the file is none for AWS. */
export function readService(
  root: TreeMap,
  { folder, source }: { folder: SourceFolder; source: string },
  findings: Findings,
): Imported {
  const variables = new ServerlessVariables(root, folder);
  const provider = providerOf(variables.resolve(root.provider), source);
  const functions = mergedMaps(variables.resolve(root.functions));
  if (functions === null)
    throw usageFailure(
      `${source} must hold \`functions:\`, a mapping; it is ${shownValue(variables.resolve(root.functions))}`,
    );
  const plugins = pluginsOf(variables.resolve(root.plugins), findings);
  const defaults: Defaults = {
    folder,
    provider,
    isBundled:
      plugins.some((name) => bundlers.includes(name)) ||
      "esbuild" in ((root.build as object) ?? {}),
  };
  const imported: Imported = { functions: [], refused: [], ignored: {} };
  for (const [name, value] of Object.entries(functions)) {
    const fn = readFunction(name, value, { defaults, findings });
    if (fn === null) imported.refused.push(name);
    else imported.functions.push(fn);
  }
  for (const [key, text] of Object.entries(sections)) if (root[key]) findings.leave(key, text);
  leaveProvider(provider, findings);
  imported.ignored = ignoredOf(imported.functions, { folder, source }, findings);
  const lines = packageLines(variables.resolve(root.package), findings);
  if (lines.length > 0) imported.ignored["."] = [...(imported.ignored["."] ?? []), ...lines];
  tell(imported.functions, source, findings);
  return imported;
}

function providerOf(value: Known, source: string): KnownMap {
  const provider: KnownMap =
    typeof value === "string" ? { name: value } : isKnownMap(value) ? value : {};
  const name = plainOf(provider.name);
  if (name !== null && name !== "aws")
    throw usageFailure(`${source} is for the provider ${name}; functions are taken over from aws`);
  return provider;
}

function pluginsOf(value: Known, findings: Findings): string[] {
  const list = Array.isArray(value) ? value : isKnownMap(value) ? value.modules : null;
  const names = (Array.isArray(list) ? list : []).map(plainOf).filter((name) => name !== null);
  for (const name of names.slice(0, 50)) {
    if (bundlers.includes(name)) continue;
    const offline = name === "serverless-offline" ? ": `npm start` runs the functions here" : "";
    const python =
      name === "serverless-python-requirements"
        ? ": the deploy installs requirements.txt by itself"
        : "";
    findings.leave("plugins", `${name} is not run${offline}${python}`);
  }
  return names;
}

function leaveProvider(provider: KnownMap, findings: Findings): void {
  for (const [key, text] of Object.entries(providerParts))
    if (provider[key] !== undefined && provider[key] !== null)
      findings.leave(`provider.${key}`, text);
  const httpApi = provider.httpApi;
  if (isKnownMap(httpApi) && httpApi.cors)
    findings.leave(
      "provider.httpApi.cors",
      "answer OPTIONS and the access-control headers in the function",
    );
}

function ignoredOf(
  functions: readonly ImportedFunction[],
  { folder, source }: { folder: SourceFolder; source: string },
  findings: Findings,
): Record<string, string[]> {
  const dirs = [...new Set(functions.map(({ codeDir }) => codeDir))];
  return Object.fromEntries(
    dirs.map((codeDir) => [codeDir, ignoredIn({ folder, codeDir }, source, findings)]),
  );
}

function tell(functions: readonly ImportedFunction[], source: string, findings: Findings): void {
  const endpoints = functions.flatMap((fn) => fn.endpoints);
  const isRestApi = endpoints.some(({ place }) => place.endsWith(".http"));
  const hasEndpoints = endpoints.some(({ path }) => path.includes("{"));
  tellDifferences(source, { isRestApi, hasEndpoints }, findings);
}

import type { Findings } from "../findings.ts";
import type { Imported } from "../imported.ts";
import { type Known, type KnownMap, isKnownMap, plainOf } from "../known-values.ts";
import { ignoredIn } from "../lambda-code.ts";
import type { SourceFolder } from "../source-folder.ts";
import { openToAll, tellDifferences } from "../triggers.ts";
import type { TreeMap } from "../yaml-tree.ts";
import { readFunction } from "./function.ts";
import { TemplateValues } from "./intrinsics.ts";
import { type ScheduleResource, isScheduleResource, takeSchedule } from "./schedule-resources.ts";

/** What to do instead of a resource, by the beginning of its type. */
const resources: [type: string, text: string][] = [
  [
    "AWS::Serverless::LayerVersion",
    "there are no layers: name what it holds in package.json or requirements.txt, or copy it into the code",
  ],
  [
    "AWS::Lambda::LayerVersion",
    "there are no layers: name what it holds in package.json or requirements.txt, or copy it into the code",
  ],
  ["AWS::Serverless::StateMachine", "there are no state machines"],
  ["AWS::Events::Rule", "there is no event bus: who sends the event calls the function"],
  ["AWS::Lambda::Permission", "callers need no permission: a route is open, the API takes keys"],
  ["AWS::IAM::", "functions have no role: give them keys through `env` for what they call"],
  [
    "AWS::ApiGateway",
    "routes are those of the functions; an API of its own stage or domain is a proxy's work",
  ],
  ["AWS::Lambda::Url", "the default route, /<name>, takes its place"],
];

/** The functions of a template. */
export function readTemplate(
  tree: TreeMap,
  { folder, source }: { folder: SourceFolder; source: string },
  findings: Findings,
): Imported {
  const values = new TemplateValues(tree.Parameters);
  const globals = mapOf(mapOf(values.resolve(tree.Globals)).Function);
  const imported: Imported = { functions: [], refused: [], ignored: {} };
  const schedules: ScheduleResource[] = [];
  for (const [name, value] of Object.entries(mapOf(values.resolve(tree.Resources)))) {
    const resource = mapOf(value);
    const type = plainOf(resource.Type) ?? "";
    const properties = mapOf(resource.Properties);
    if (isScheduleResource(type, properties)) {
      schedules.push({ name, properties });
      continue;
    }
    if (!["AWS::Serverless::Function", "AWS::Lambda::Function"].includes(type)) {
      leaveResource(name, type, { resource, findings });
      continue;
    }
    const isSam = type === "AWS::Serverless::Function";
    const given = { name, resource, globals: isSam ? globals : {}, isSam, folder };
    const fn = readFunction(given, findings);
    if (fn === null) imported.refused.push(name);
    else imported.functions.push(fn);
  }
  const functionOf = (resource: string) => imported.functions.find(({ name }) => name === resource);
  for (const schedule of schedules) takeSchedule(schedule, functionOf, findings);
  const dirs = [...new Set(imported.functions.map(({ codeDir }) => codeDir))];
  for (const codeDir of dirs)
    imported.ignored[codeDir] = ignoredIn({ folder, codeDir }, source, findings);
  leaveGlobals(mapOf(values.resolve(tree.Globals)), findings);
  const endpoints = imported.functions.flatMap((fn) => fn.endpoints);
  const isRestApi = endpoints.some(({ place }) => place.endsWith(".Api"));
  const hasEndpoints = endpoints.some(({ path }) => path.includes("{"));
  tellDifferences(source, { isRestApi, hasEndpoints }, findings);
  return imported;
}

export function mapOf(value: Known | undefined): KnownMap {
  return isKnownMap(value) ? value : {};
}

function leaveResource(
  name: string,
  type: string,
  { resource, findings }: { resource: KnownMap; findings: Findings },
): void {
  const place = `Resources.${name}`;
  const properties = mapOf(resource.Properties);
  if (type === "AWS::Serverless::Api" || type === "AWS::Serverless::HttpApi") {
    if (properties.Auth) findings.leave(`${place}.Auth`, openToAll);
    if (properties.CorsConfiguration || properties.Cors)
      findings.leave(
        `${place}.Cors`,
        "answer OPTIONS and the access-control headers in the function",
      );
    if (properties.Domain)
      findings.leave(`${place}.Domain`, "a name and its certificate belong to a reverse proxy");
    if (properties.DefinitionBody || properties.DefinitionUri)
      findings.leave(
        `${place}.DefinitionBody`,
        "routes are read from the events of functions: name those of the definition in isola.yaml",
      );
    return;
  }
  const known = resources.find(([prefix]) => type.startsWith(prefix));
  findings.leave(
    place,
    `${type}: ${known?.[1] ?? "has to exist elsewhere; give its address to the functions through `env`"}`,
  );
}

function leaveGlobals(globals: KnownMap, findings: Findings): void {
  for (const part of ["Api", "HttpApi"]) {
    const settings = mapOf(globals[part]);
    if (settings.Auth) findings.leave(`Globals.${part}.Auth`, openToAll);
    if (settings.Cors || settings.CorsConfiguration)
      findings.leave(
        `Globals.${part}.Cors`,
        "answer OPTIONS and the access-control headers in the function",
      );
  }
}

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** What isola.yaml says of one function: the settings of the API, with `code` as a folder. */
export interface ExampleFunction {
  name: string;
  /** Absolute path of the folder with the code. */
  codeDir: string;
  runtime: string;
  /** Everything else, named as in the API: `handler`, `route`, `timeoutMs` ... */
  settings: Record<string, unknown>;
}

export interface Case {
  name: string;
  request: {
    method: string;
    path: string;
    headers: Record<string, string>;
    body: Buffer | null;
  };
  expect: Expectation;
}

/** Files are read already: `body` and `json` also stand for `bodyFile` and `jsonFile`. */
export interface Expectation {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer;
  bodyIncludes?: string[];
  json?: unknown;
  jsonIncludes?: Record<string, unknown>;
}

export interface Example {
  name: string;
  /** Absolute path. */
  dir: string;
  functions: ExampleFunction[];
  /** In the order in which they are to be run against a fresh deployment. */
  cases: Case[];
}

/** Every example with its functions and cases. Throws where a file is missing or not as README.md describes. */
export function loadExamples(root: string = import.meta.dirname): Example[] {
  const entries = readdirSync(root, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return names.sort().map((name) => loadExample(name, join(root, name)));
}

function loadExample(name: string, dir: string): Example {
  const file = parse(readFileSync(join(dir, "isola.yaml"), "utf8"));
  const functions = Object.entries<Record<string, unknown>>(file.functions).map(
    ([functionName, { code, runtime, ...settings }]) => {
      assert(typeof code === "string" && typeof runtime === "string", `${dir}: code and runtime`);
      return { name: functionName, codeDir: join(dir, code), runtime, settings };
    },
  );
  const cases = JSON.parse(readFileSync(join(dir, "cases.json"), "utf8")) as unknown[];
  return { name, dir, functions, cases: cases.map((given) => readCase(given, dir)) };
}

/** A case as the file has it; `readCase` checks it. */
interface GivenCase {
  name: string;
  request: { method: string; path: string; headers?: Record<string, string> } & GivenBody;
  expect: Omit<Expectation, "body"> & { jsonFile?: string } & GivenBody;
}

interface GivenBody {
  body?: string;
  bodyFile?: string;
}

const requestMembers = new Set(["method", "path", "headers", "body", "bodyFile"]);
const expectMembers = new Set([
  "status",
  "headers",
  "body",
  "bodyFile",
  "bodyIncludes",
  "json",
  "jsonFile",
  "jsonIncludes",
]);

function readCase(given: unknown, dir: string): Case {
  const { name, request, expect, ...others } = given as GivenCase;
  const where = `${dir}/cases.json: ${name}`;
  const unknown = [
    ...Object.keys(others),
    ...Object.keys(request).filter((member) => !requestMembers.has(member)),
    ...Object.keys(expect).filter((member) => !expectMembers.has(member)),
  ];
  assert.deepEqual(unknown, [], `${where}: unknown members`);
  assert(typeof name === "string" && typeof request.method === "string", where);
  assert(request.path.startsWith("/") && Number.isInteger(expect.status), where);
  const { status, headers, bodyIncludes, json, jsonIncludes, jsonFile } = expect;
  return {
    name,
    request: {
      method: request.method,
      path: request.path,
      headers: request.headers ?? {},
      body: bytesOf(request, dir) ?? null,
    },
    expect: {
      status,
      headers,
      bodyIncludes,
      json: jsonFile ? JSON.parse(readFileSync(join(dir, jsonFile), "utf8")) : json,
      jsonIncludes,
      body: bytesOf(expect, dir),
    },
  };
}

function bytesOf(given: GivenBody, dir: string): Buffer | undefined {
  if (given.bodyFile !== undefined) return readFileSync(join(dir, given.bodyFile));
  return given.body === undefined ? undefined : Buffer.from(given.body);
}

/** Makes the call of a case below `baseUrl` (the functions listener, no slash at the end) and throws an AssertionError where the answer differs. */
export async function checkCase(baseUrl: string, one: Case): Promise<void> {
  const { method, path, headers, body } = one.request;
  const signal = AbortSignal.timeout(30_000);
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers,
    body: body === null ? null : new Uint8Array(body),
    redirect: "manual",
    signal,
  });
  await checkResponse(response, one);
}

/** Reads the whole response and throws an AssertionError where it is not what the case expects. */
export async function checkResponse(response: Response, one: Case): Promise<void> {
  const { expect } = one;
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString("utf8");
  const seen = `${one.name}: answered ${response.status} with ${text.slice(0, 500)}`;
  assert.equal(response.status, expect.status, seen);
  for (const [name, value] of Object.entries(expect.headers ?? {})) {
    assert.equal(response.headers.get(name), value, `${one.name}: header ${name}`);
  }
  if (expect.body !== undefined) {
    assert.equal(text, expect.body.toString("utf8"), seen);
    assert(bytes.equals(expect.body), `${one.name}: bytes differ`);
  }
  for (const part of expect.bodyIncludes ?? []) assert(text.includes(part), `${part}: ${seen}`);
  if (expect.json !== undefined) assert.deepEqual(JSON.parse(text), expect.json, one.name);
  for (const [member, value] of Object.entries(expect.jsonIncludes ?? {})) {
    assert.deepEqual(JSON.parse(text)[member], value, `${one.name}: ${member}`);
  }
}

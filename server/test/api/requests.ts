import fc from "fast-check";
import { knownValues } from "./known-values.ts";
import type { Operation, Schema } from "./operations.ts";
import type { RawRequest } from "./raw-http.ts";
import { valuesOf } from "./valid-values.ts";

/** A request as its parts, so that each of them can be damaged. */
export interface Request {
  path: Record<string, string>;
  query: [name: string, value: string][];
  headers: Record<string, string>;
  contentType: string | null;
  /** A JSON value, or bytes of another type; undefined: none. */
  body: unknown;
}

export interface Given {
  /** Bodies that are no JSON, by their type. */
  archives: Record<string, Buffer>;
  /** Further values, which win over those that are known for every operation. */
  values?: Record<string, fc.Arbitrary<unknown>>;
}

/** Requests that the document allows; what stands in the path is left to the caller. */
export function requestsOf(operation: Operation, given: Given): fc.Arbitrary<Request> {
  const known = new Map([...knownValues, ...Object.entries(given.values ?? {})]);
  const query = queryOf(operation, known);
  return fc
    .tuple(query, contentOf(operation, given, known))
    .map(([pairs, { contentType, body }]) => ({
      path: {},
      query: pairs,
      headers: {},
      contentType,
      body,
    }));
}

function queryOf(
  operation: Operation,
  known: ReadonlyMap<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<[string, string][]> {
  const parameters = operation.parameters.filter((parameter) => parameter.in === "query");
  const members = parameters.map(({ name, schema }): [string, fc.Arbitrary<unknown>] => [
    name,
    fc.option(valuesOf(schema, `query.${name}`, known), { nil: undefined }),
  ]);
  return fc
    .record(Object.fromEntries(members))
    .map((values) =>
      Object.entries(values).flatMap(([name, value]) =>
        value === undefined ? [] : [value].flat().map((one): [string, string] => [name, `${one}`]),
      ),
    );
}

function contentOf(
  { bodies }: Operation,
  { archives }: Given,
  known: ReadonlyMap<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<{ contentType: string | null; body: unknown }> {
  if (bodies === null) return fc.constant({ contentType: null, body: undefined });
  return fc.oneof(
    ...Object.entries(bodies).map(([contentType, schema]) =>
      bodyOf(contentType, schema, { archives, known }).map((body) => ({ contentType, body })),
    ),
  );
}

function bodyOf(
  contentType: string,
  schema: Schema,
  given: { archives: Record<string, Buffer>; known: ReadonlyMap<string, fc.Arbitrary<unknown>> },
): fc.Arbitrary<unknown> {
  const archive = given.archives[contentType];
  return archive === undefined ? valuesOf(schema, "", given.known) : fc.constant(archive);
}

/** As it goes over the wire. */
export function toRaw(operation: Operation, request: Request, key: string): RawRequest {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(request.path[name] ?? ""),
  );
  const query = request.query
    .map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`)
    .join("&");
  const headers = { authorization: `Bearer ${key}`, ...request.headers };
  if (request.contentType !== null) Object.assign(headers, { "content-type": request.contentType });
  return {
    method: operation.method,
    target: query === "" ? path : `${path}?${query}`,
    headers: Object.entries(headers),
    body: bytesOf(request.body),
  };
}

function bytesOf(body: unknown): Buffer | null {
  if (body === undefined) return null;
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
}

/** Lone surrogates, which have no encoding, become U+FFFD. */
function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

import type { TestServer } from "../harness.ts";

/** The part of JSON Schema that the document uses. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  maxProperties?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
}

export interface Parameter {
  in: "path" | "query" | "header";
  name: string;
  required?: boolean;
  schema: Schema;
}

/** One call of the API as its document describes it. */
export interface Operation {
  method: string;
  /** `/api/v1/functions/{name}` */
  path: string;
  parameters: Parameter[];
  /** Of the body, by content type; null: it takes none. */
  bodies: Record<string, Schema> | null;
  /** Of the answers, by status (`200`, `4XX`); null where it is not JSON. */
  answers: Map<string, Schema | null>;
  isOpen: boolean;
}

interface Described {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
  security?: unknown[];
}

/** Every operation of the document that the server itself serves. */
export async function readOperations(server: TestServer): Promise<Operation[]> {
  const { json } = await server.api("GET", "/openapi.json");
  const paths = json.paths as Record<string, Record<string, Described>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operationOf(method, path, described)),
  );
}

export function nameOf({ method, path }: Operation): string {
  return `${method} ${path}`;
}

/** The schema for answers of this status; undefined where the document has none. */
export function answerSchema(operation: Operation, status: number): Schema | null | undefined {
  const exact = operation.answers.get(String(status));
  return exact === undefined ? operation.answers.get(`${Math.floor(status / 100)}XX`) : exact;
}

function operationOf(method: string, path: string, described: Described): Operation {
  const content = described.requestBody?.content;
  return {
    method: method.toUpperCase(),
    path,
    parameters: described.parameters ?? [],
    bodies:
      content === undefined
        ? null
        : Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema])),
    answers: new Map(
      Object.entries(described.responses).map(([status, answer]) => [
        status,
        answer.content?.["application/json"]?.schema ?? null,
      ]),
    ),
    isOpen: described.security?.length === 0,
  };
}

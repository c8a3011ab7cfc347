import fc from "fast-check";
import { type Operation, type Parameter, type Schema, nameOf } from "./operations.ts";
import type { RawRequest } from "./raw-http.ts";
import { type Request, toRaw } from "./requests.ts";
import { wrongKnown, wrongKnownOf } from "./wrong-known.ts";
import { type Wrong, brokenTexts, textOf, withWrong, wrongsOf } from "./wrong-values.ts";

/** A request that the document does not allow. */
export interface Damaged {
  raw: RawRequest;
  /** What it may be answered with. */
  statuses: number[];
  /** The caller hangs up in the middle: there may be no answer. */
  isCut?: boolean;
}

export interface Keys {
  admin: string;
  /** Of the right shape and no use: unknown, with a wrong secret, revoked. */
  useless: string[];
  read: string;
}

export type Damage = (
  operation: Operation,
  request: Request,
  keys: Keys,
) => fc.Arbitrary<Damaged> | null;

const anyOf = <T>(values: T[], make: (value: T) => Damaged): fc.Arbitrary<Damaged> | null =>
  values.length === 0 ? null : fc.constantFrom(...values).map(make);

/** Each takes a request that is allowed and breaks one thing; null where the operation has no such thing. */
export const damages: Record<string, Damage> = {
  "a wrong member of the body": (operation, request, { admin }) => {
    const schema = operation.bodies?.["application/json"];
    if (schema === undefined) return null;
    const base = request.contentType === "application/json" ? request.body : {};
    const headers = { ...request.headers, "content-type": "application/json" };
    return anyOf(wrongBodies(operation, schema), (wrong) => ({
      raw: toRaw(
        operation,
        {
          ...request,
          headers,
          contentType: null,
          body: Buffer.from(textOf(withWrong(base, wrong))),
        },
        admin,
      ),
      statuses: [400, 404],
    }));
  },
  "a body that is no JSON": (operation, request, { admin }) => {
    if (operation.bodies === null || Buffer.isBuffer(request.body)) return null;
    return brokenTexts(JSON.stringify(request.body)).map((body) => ({
      raw: toRaw(operation, { ...request, body }, admin),
      statuses: [400],
    }));
  },
  "an archive that is none": (operation, request, { admin }) => {
    const { body } = request;
    if (!Buffer.isBuffer(body)) return null;
    return fc
      .oneof(
        fc.nat({ max: body.length >> 1 }).map((end) => body.subarray(0, end)),
        fc.constantFrom(Buffer.from("{}"), Buffer.alloc(1024), Buffer.from("PK\u0003\u0004")),
      )
      .map((cut) => ({
        raw: toRaw(operation, { ...request, body: cut }, admin),
        statuses: [400],
      }));
  },
  "another content type": (operation, request, { admin }) => {
    if (operation.bodies === null) return null;
    const types = [
      ...["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
      ...["application/jsonp", "json", "*/*", "", "application/json5", "\u00e9", ";", "a/b/c"],
    ];
    return anyOf(types, (contentType) => ({
      raw: toRaw(operation, { ...request, contentType }, admin),
      statuses: [415, 400],
    }));
  },
  "a body cut off": (operation, request, { admin }) => {
    if (operation.bodies === null) return null;
    const raw = toRaw(operation, request, admin);
    const bytes = raw.body?.length ?? 0;
    return fc
      .tuple(fc.nat({ max: Math.max(0, bytes - 1) }), fc.nat({ max: 5 }))
      .map(([kept, more]) => ({
        raw: {
          ...raw,
          body: raw.body?.subarray(0, kept) ?? null,
          declaredBytes: bytes + more,
        },
        statuses: [400],
        isCut: true,
      }));
  },
  "a body said to be too large": (operation, request, { admin }) => {
    if (operation.bodies === null) return null;
    const raw = toRaw(operation, { ...request, body: undefined }, admin);
    return anyOf([71_000_000, 10 ** 12], (declaredBytes) => ({
      raw: { ...raw, declaredBytes },
      statuses: [413],
    }));
  },
  "a wrong query": (operation, request, { admin }) => {
    const parameters = operation.parameters.filter((one) => one.in === "query");
    const wrong = [
      ...parameters.flatMap(wrongQueries),
      ...(parameters.length === 0 ? [] : unknown),
    ];
    return anyOf(wrong, (pairs) => ({
      raw: toRaw(operation, { ...request, query: pairs }, admin),
      statuses: [400, 404],
    }));
  },
  "a wrong name in the path": (operation, request, { admin }) => {
    const raw = toRaw(operation, request, admin);
    const [name, value] = Object.entries(request.path)[0] ?? [];
    if (name === undefined || value === undefined) return null;
    const odd = [
      ...["UPPER", "a_b", "-a", "a".repeat(64), "a".repeat(5000), "a.b", "%00", "%C3%A9", "%ff"],
      ...[
        "..%2f..",
        "a%2fb",
        "%",
        "%zz",
        "a%0a",
        "__proto__",
        "constructor",
        "no-such",
        "%20",
        ";",
      ],
    ];
    return anyOf(odd, (one) => ({
      raw: { ...raw, target: raw.target.replace(`/${value}`, `/${one}`) },
      statuses: [400, 404, 414],
    }));
  },
  "a header that does not hold": (operation, request, { admin }) => {
    const takes = new Set(
      operation.parameters.filter((one) => one.in === "header").map((one) => one.name),
    );
    const given = (name: string, values: string[], status: number) =>
      takes.has(name) ? values.map((value) => ({ name, value, status })) : [];
    const wrong = [
      ...given(
        "if-match",
        ['"v0"', '"v999999999"', "v1", '"v1", "v2"', "", '"*"', "W/", '"1"'],
        412,
      ),
      ...given("if-match", [`"v${"9".repeat(400)}"`, "\u00e9", '"v-1"', '"v1.0"', '"v1"x'], 412),
      ...given("idempotency-key", ["", "a b", "\u00e9", "x".repeat(201), "a, b", "\ta"], 400),
    ].filter(({ name, value }) => name !== "idempotency-key" || value.trim() !== "a");
    return anyOf(wrong, ({ name, value, status }) => ({
      raw: toRaw(operation, { ...request, headers: { [name]: value } }, admin),
      statuses: [status],
    }));
  },
  "an authorization that is none": (operation, request, { admin, useless }) => {
    if (operation.isOpen) return null;
    const wrong = [
      ...[
        "",
        "Bearer",
        "Bearer ",
        `Basic ${admin}`,
        admin,
        `Bearer  ${admin}`,
        `Bearer ${admin} x`,
      ],
      ...[`Bearer ${admin}x`, `Bearer ${admin.slice(0, -1)}`, "Bearer isola__", "Bearer null"],
      ...[`Bearer ${"a".repeat(9000)}`, `Bearer ${admin},Bearer ${admin}`, "Bearer \u00e9\u00ff"],
      ...[`Bearer\t${admin}`, "Bearer isola_a'--_x", ...useless.map((key) => `Bearer ${key}`)],
    ];
    return anyOf(wrong, (authorization) => ({
      raw: toRaw(operation, { ...request, headers: { authorization } }, admin),
      statuses: [401],
    }));
  },
  "a key that may not": (operation, request, { read }) => {
    // A session is anybody's who has a key.
    if (operation.method === "GET" || operation.path.startsWith("/api/v1/session")) return null;
    return fc.constant({ raw: toRaw(operation, request, read), statuses: [403] });
  },
  "another method": (operation, request, { admin }) =>
    anyOf(["TRACE", "PROPFIND", "REPORT", "CONNECT"], (method) => ({
      raw: { ...toRaw(operation, request, admin), method },
      statuses: [400, 404],
      isCut: method === "CONNECT",
    })),
};

const unknown: [string, string][][] = [
  [["offset", "1"]],
  [["__proto__", "x"]],
  [["constructor", "x"]],
  [["limit[]", "1"]],
  [["", "x"]],
];

function wrongBodies(operation: Operation, schema: Schema): Wrong[] {
  const known = wrongKnownOf[nameOf(operation)] ?? [];
  const more = known.flatMap(([kind, below]) =>
    (wrongKnown[kind] ?? []).map(({ place, value }) => ({ place: [...below, ...place], value })),
  );
  return [...wrongsOf(schema), ...more];
}

const notWhole = [
  "",
  "abc",
  "1.5",
  "1e3",
  "NaN",
  "Infinity",
  "0x10",
  " 1",
  "-1",
  "+1",
  "9".repeat(16),
];
const moreNotWhole = ["1_000", "\u0661", "1,2", "null", "9".repeat(400)];
const cursors = [
  ...["x", "", "%00", "null", "{}", "\u00e9", "x".repeat(1024), "a".repeat(2000)],
  ...[[], ["name"], ["name", 1], ["other", "a"], ["name", "a", "b"], ["-name", { a: 1 }], null].map(
    (value) => Buffer.from(JSON.stringify(value)).toString("base64url"),
  ),
];

function wrongQueries({ name, schema }: Parameter): [string, string][][] {
  const one = (values: string[]) => values.map((value): [string, string][] => [[name, value]]);
  if (name === "cursor")
    return [
      ...one(cursors),
      [
        [name, "a"],
        [name, "b"],
      ],
    ];
  if (schema.type === "array") {
    const tooMany = Array<string>((schema.maxItems ?? 16) + 1).fill("a");
    return [one(tooMany).flat(), ...one(["x".repeat(401)])];
  }
  const twice: [string, string][] = [
    [name, "1"],
    [name, "1"],
  ];
  if (schema.type === "integer") return [...one([...notWhole, ...moreNotWhole]), twice];
  if (schema.enum !== undefined) return [...one(["", "nope", "__proto__", "NAME"]), twice];
  if (schema.pattern !== undefined) return [...one(["", "A", "a b", "__proto__", "-"]), twice];
  return [...one(["x".repeat((schema.maxLength ?? 1000) + 1)]), twice];
}

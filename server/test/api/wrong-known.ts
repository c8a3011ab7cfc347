import type { Wrong } from "./wrong-values.ts";

const kept = "export const handler = () => 1;";

function at(place: string, values: readonly unknown[]): Wrong[] {
  return values.map((value) => ({ place: place === "" ? [] : place.split("."), value }));
}

/** Breaks of the rules that the document says in prose, by the operation. */
export const wrongKnown: Record<string, Wrong[]> = {
  settings: [
    ...at("handler", [
      "",
      "index",
      ".handler",
      "index.",
      "/etc/passwd.x",
      "../a.b",
      "a b.c",
      "a.1",
    ]),
    ...at("runtime", ["ruby", "", "__proto__", "constructor", "nodejs99", "python3.11 "]),
    ...at("route", [{}, { path: "" }, { path: "x" }, { path: "/a//b" }, { path: "/a/../b" }]),
    ...at("route", [{ path: "/%2f" }, { path: "/a b" }, { path: "/:a/:a" }, { path: "/*/x" }]),
    ...at("route", [{ path: `/${"a".repeat(512)}` }, { path: "/a?b" }, { path: "/\0" }]),
    ...at("route", [
      { path: "/x", methods: ["get"] },
      { path: "/x", methods: ["TRACE"] },
    ]),
    ...at("env", [
      { "1A": "" },
      { "": "x" },
      { "A=B": "x" },
      { ISOLA_X: "1" },
      { LD_PRELOAD: "x" },
    ]),
    ...at("env", [{ A: "\0" }, { A: "x".repeat(4096) }, { AWS_LAMBDA_X: "" }, { A: "\ud83d" }]),
    ...at("env", [Object.fromEntries(Array.from({ length: 1000 }, (_, k) => [`A${k}`, "xxxx"]))]),
    ...at("labels", [{ "-a": "" }, { a: "-" }, { a: "x".repeat(64) }, { "a/b/c": "" }, { A: "é" }]),
    ...at("labels", [Object.fromEntries(Array.from({ length: 33 }, (_, k) => [`a${k}`, ""]))]),
    ...at("minSandboxes", [1001]),
    ...at("idleTimeoutMs", ["never", "AUTO", 999, null]),
    ...at("concurrencyTarget", [0, 1001, "auto"]),
    ...at("reservedConcurrency", [0, 10_000, 1.5]),
    ...at("network", ["", "all", "Internet"]),
    ...["", "* * * *", "* * * * * *", "60 * * * *", "@reboot", "0 0 31 2 *", "? * * * *"].map(
      (cron) => ({ place: ["schedules"], value: [{ name: "a", cron }] }),
    ),
    ...["", "Mars", "+02:00", "Z"].map((timeZone) => ({
      place: ["schedules"],
      value: [{ name: "a", cron: "@yearly", timeZone }],
    })),
    ...at("schedules", [
      ["a", "a"].map((name) => ({ name, cron: "@yearly" })),
      Array.from({ length: 21 }, (_, k) => ({ name: `a${k}`, cron: "@yearly" })),
      [{ name: "a", cron: "@yearly", event: "x".repeat(65_535) }],
    ]),
  ],
  code: [
    ...at("", [{}, { files: { "index.mjs": kept }, zip: "AAAA" }, { zip: "" }, { zip: "AAA" }]),
    ...at("", [{ zip: "@@@@" }, { zip: "AAAA" }, { zip: "UEsDBA==" }, { files: {} }]),
    ...["../x", "/etc/passwd", "a//b", "", ".", "..", "a/../b", "a\0b", "a/", "x".repeat(5000)].map(
      (name) => ({ place: [], value: { files: { [name]: kept } } }),
    ),
    ...at("", [{ files: { a: kept, A: kept } }, { files: { a: kept, "a/b": kept } }]),
    ...at("", [{ files: { a: "\udc00" } }, { files: { "\ud800": kept } }]),
  ],
  invoke: [
    ...at("", [{}, { event: 1, request: {} }, { request: { body: "a", bodyBase64: "YQ==" } }]),
    ...at("request", [{ bodyBase64: "a" }, { bodyBase64: "!!!!" }, { headers: [["a b", "c"]] }]),
    ...at("request", [{ headers: [["a", "b\r\nc: d"]] }, { headers: [["a", "\u0100"]] }]),
    ...at("request", [{ path: "x" }, { path: "/\0" }, { path: "/ä" }, { method: "TRACE" }]),
    ...at("request", [{ headers: [["", ""]] }, { headers: [["a"]] }, { body: "\ud800" }]),
  ],
  key: [
    ...at("expiresAt", ["2020-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"]),
    ...at("scopes", [["admin", "nope"], ["__proto__"], "admin"]),
    ...at("name", ["", "x".repeat(101), "\ud800"]),
    ...at("project", ["", "Default", "no-such", 1]),
  ],
  project: [
    ...at("driver", ["", "none", "Docker", 1]),
    ...at("description", ["x".repeat(1025), null, "\ud800"]),
  ],
  rollback: at("revision", [99, 2 ** 31 - 1]),
};

/** Which of them an operation has, and below which member. */
export const wrongKnownOf: Record<string, [kind: string, below: string[]][]> = {
  "POST /api/v1/functions": [
    ["settings", []],
    ["code", ["code"]],
  ],
  "PATCH /api/v1/functions/{name}": [["settings", []]],
  "PUT /api/v1/functions/{name}/code": [["code", []]],
  "POST /api/v1/functions/{name}/invocations": [["invoke", []]],
  "POST /api/v1/keys": [["key", []]],
  "POST /api/v1/projects": [["project", []]],
  "PATCH /api/v1/projects/{name}": [["project", []]],
  "POST /api/v1/functions/{name}/rollback": [["rollback", []]],
};

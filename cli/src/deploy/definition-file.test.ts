import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { definitionFileSchema } from "@isola/api/definition-file";
import { CreateFunction } from "@isola/api/functions";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { Failure } from "../command.ts";
import { type Definitions, readDefinitions } from "./definition.ts";
import type { Variables } from "./variables.ts";

const examples = join(import.meta.dirname, "../../../examples");
const schema = definitionFileSchema();
const validate = new Ajv({ allErrors: true }).compile(schema);

interface Folder {
  dir: string;
  read(yaml: string, variables?: Variables, name?: string): Definitions;
  /** The message that the file is refused with. */
  refusal(yaml: string, variables?: Variables): string;
}

function folder(t: TestContext, files: Record<string, string> = {}): Folder {
  const dir = mkdtempSync(join(tmpdir(), "isola-definition-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(dir, path), text);
  const read: Folder["read"] = (yaml, variables = [], name) => {
    writeFileSync(join(dir, "isola.yaml"), yaml);
    return readDefinitions(dir, name === undefined ? {} : { name }, variables);
  };
  const refusal: Folder["refusal"] = (yaml, variables) => {
    try {
      read(yaml, variables);
    } catch (error) {
      assert(error instanceof Failure, String(error));
      return error.message.replaceAll(dir, "");
    }
    assert.fail("it was taken");
  };
  return { dir, read, refusal };
}

describe("the JSON Schema of isola.yaml", () => {
  test("has every setting of the API, each with its description, and defaults and bounds", () => {
    const { functions } = schema.properties as any;
    const { properties } = functions.additionalProperties;
    for (const name of Object.keys(CreateFunction.properties).filter((one) => one !== "name")) {
      assert.ok(properties[name], name);
      assert.ok(properties[name].description, `${name} has a description`);
    }
    assert.deepEqual(properties.memoryMiB.anyOf[0], {
      type: "integer",
      minimum: 128,
      maximum: 10_240,
    });
    assert.equal(properties.timeoutMs.default, 30_000);
    assert.equal(properties.firstByteTimeoutMs.default, null);
    assert.equal(properties.build.properties.scripts.default, false);
  });

  for (const name of readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)) {
    test(`takes the isola.yaml of the example ${name}, and so does the command line`, () => {
      const text = readFileSync(join(examples, name, "isola.yaml"), "utf8");
      assert.ok(validate(parse(text)), JSON.stringify(validate.errors));
      assert.equal(readDefinitions(join(examples, name), {}, []).definitions.length, 1);
    });
  }

  const wrong: Record<string, string> = {
    "no functions": "name: shop\n",
    "an unknown member": "functions: { a: { memory: 1 } }",
    "an unknown member at the top": "functions: { a: {} }\nfunction: {}",
    "a number below its bound": "functions: { a: { memoryMiB: 1 } }",
    "a fraction": "functions: { a: { timeoutMs: 1.5 } }",
    "text for a number": 'functions: { a: { timeoutMs: "30s" } }',
    "an unknown driver": "functions: { a: { driver: vmware } }",
    "a number in env": "functions: { a: { env: { A: 1 } } }",
    "a route without a path": "functions: { a: { route: { methods: [GET] } } }",
    "a route of all functions": "defaults: { route: { path: /a } }\nfunctions: { a: {} }",
    "an unknown method": "functions: { a: { route: { path: /a, methods: [FETCH] } } }",
    "a function with a wrong name": "functions: { A_b: {} }",
    "a list of functions": "functions: [a]",
    "a function that is nothing": "functions: { a: }",
    "a wrong name of the application": "name: Shop-\nfunctions: { a: {} }",
    "an envFile that is none": "functions: { a: { envFile: [1] } }",
    "an unknown member of build": "functions: { a: { build: { bundel: true } } }",
  };
  for (const [what, text] of Object.entries(wrong)) {
    test(`refuses ${what}, and so does the command line`, (t) => {
      assert.ok(!validate(parse(text)));
      assert.match(folder(t).refusal(text), /isola\.yaml cannot be deployed:\n/);
    });
  }

  test("takes variables wherever there is a value", () => {
    const text = `functions: { a: { memoryMiB: "\${M}", driver: "\${D}", exposeErrors: "\${E:-true}", route: { path: "/\${P}", methods: ["\${V}"] } } }`;
    assert.ok(validate(parse(text)), JSON.stringify(validate.errors));
  });
});

describe("isola.yaml", () => {
  test("tells everything that is wrong at once, by line", (t) => {
    const text = `name: shop
defaults:
  memoryMiB: 64
  env: { SECRET: [do-not-tell] }
functions:
  a:
    code: ./nowhere
    timeoutMs: "30"
  B: {}
`;
    const message = folder(t).refusal(text);
    assert.match(message, /line 3: defaults\.memoryMiB: expected integer from 128/);
    assert.match(message, /line 4: defaults\.env\.SECRET: expected text/);
    assert.match(message, /line 7: functions\.a\.code: there is no folder/);
    assert.match(message, /line 8: functions\.a\.timeoutMs: .* given "30"/);
    assert.match(message, /line 9: functions\.B: expected a name/);
    assert.doesNotMatch(message, /do-not-tell/);
  });

  test("names duplicates, malformed YAML, aliases that multiply and files that are too large", (t) => {
    const { refusal } = folder(t);
    assert.match(refusal("functions:\n  a: {}\n  a: {}\n"), /line 3: a stands here twice/);
    assert.match(refusal("functions:\n  a: {\n  b: ]\n"), /line \d/);
    const cron = (text: string) =>
      refusal(`functions:\n  a:\n    schedules:\n      - name: b\n        cron: ${text}\n`);
    for (const text of ["*/5 * * * *", "* * * * *"])
      assert.match(cron(text), /line 5: .*\(a value that begins with \* stands in quotes\)$/m);
    assert.match(cron("@daily"), /line 5: .*\(a value that begins with @ stands in quotes\)$/m);
    const bare = refusal("functions:\n  a: { memoryMiB: ${M}, timeoutMs: 1 }\n  b: {}\n");
    assert.match(bare, /line 2: Unexpected .* a variable stands in quotes/);
    assert.ok(bare.split("\n").length <= 4);
    const laughs = Array.from({ length: 9 }, (_, n) =>
      n === 0 ? "x0: &x0 [a, a]" : `x${n}: &x${n} [${Array(9).fill(`*x${n - 1}`)}]`,
    );
    assert.match(refusal(`${laughs.join("\n")}\nfunctions: { a: {} }`), /alias/i);
    assert.match(refusal("functions: { a: *nothing }"), /alias/i);
    assert.match(refusal(`functions: { a: {} }\n# ${"x".repeat(1_048_576)}`), /at most 1 MiB/);
    assert.match(refusal("[".repeat(100_000)), /cannot be deployed/);
    const many = Array.from({ length: 10_000 }, (_, n) => `k${n}: 1`).join("\n");
    assert.match(refusal(`functions: { a: {} }\n${many}`), /k0: expected one of the members/);
  });

  test("names what JSON has not, which would come to the server as something else", (t) => {
    const { refusal } = folder(t);
    const withEvent = (event: string) =>
      refusal(`functions:\n  a:\n    schedules:\n      - name: s\n        event: ${event}\n`);
    const place = "line 5: functions.a.schedules[0].event";
    for (const [event, words] of [
      ["{ x: .inf }", `${place}.x: expected a value that JSON has, given Infinity`],
      ["[-.inf]", `${place}[0]: expected a value that JSON has, given -Infinity`],
      [".nan", `${place}: expected a value that JSON has, given NaN`],
      ["!!binary aGVsbG8=", `${place}: expected a value that JSON has, given !!binary`],
      ["!!set { a, b }", `${place}: expected a value that JSON has, given !!set`],
      [
        "&e { x: *e }",
        `${place}.x: expected a value that JSON has, given a mapping that is in itself`,
      ],
      ["&e [*e]", `${place}[0]: expected a value that JSON has, given a list that is in itself`],
    ] as const)
      assert.ok(withEvent(event).includes(words), withEvent(event));
  });

  test("merges defaults: env, labels and build by name, the rest as a whole", (t) => {
    const text = `
defaults:
  memoryMiB: 256
  timeoutMs: 1000
  env: { A: "1", B: "1" }
  labels: { tier: web }
  build: { bundle: true }
functions:
  a: { timeoutMs: 2000, env: { B: "2" }, labels: { team: x }, build: { scripts: true } }
  b: {}
`;
    const { definitions } = folder(t).read(text);
    assert.deepEqual(definitions[0]?.settings, {
      ...{ memoryMiB: 256, timeoutMs: 2000, env: { A: "1", B: "2" } },
      ...{ labels: { tier: "web", team: "x" }, build: { bundle: true, scripts: true } },
    });
    assert.deepEqual(definitions[1]?.settings.env, { A: "1", B: "1" });
    assert.equal(definitions[0]?.placeOf("memoryMiB"), "isola.yaml:3: defaults.memoryMiB");
    assert.equal(definitions[0]?.placeOf("env.B"), "isola.yaml:9: functions.a.env.B");
  });

  test("fills in variables in values only, and takes whole ones as what the setting wants", (t) => {
    const text = `
defaults: { idleTimeoutMs: "\${IDLE:-auto}", reservedConcurrency: "\${NONE:-null}" }
functions:
  a:
    memoryMiB: \${MEMORY}
    exposeErrors: \${EXPOSE:-false}
    env: { N: "\${MEMORY}", EMPTY: "\${UNSET:-}", BOTH: "a\${MEMORY}b\${X:-y z}", PLAIN: "$\${MEMORY} $HOME" }
`;
    const variables = [
      { MEMORY: "512", X: "" },
      { MEMORY: "1", IDLE: "5000" },
    ];
    const { settings } = folder(t).read(text, variables).definitions[0] ?? {};
    assert.deepEqual(settings, {
      ...{ idleTimeoutMs: 5000, reservedConcurrency: null, memoryMiB: 512, exposeErrors: false },
      env: { N: "512", EMPTY: "", BOTH: "a512by z", PLAIN: "${MEMORY} $HOME" },
    });
    const injected = [{ MEMORY: "512\n    driver: docker" }];
    assert.match(folder(t).refusal(text, injected), /memoryMiB: expected integer/);
  });

  test("tells all missing and malformed variables together, of the chosen function alone", (t) => {
    const text = `
functions:
  a: { env: { A: "\${TOKEN}", B: "\${OTHER:?ask the team}", C: "\${a.b}", D: "\${" } }
  b: {}
`;
    const { refusal, read } = folder(t);
    const message = refusal(text, [{ OTHER: "" }]);
    assert.match(message, /functions\.a\.env\.A: TOKEN is not set: .*--var TOKEN=value/);
    assert.match(message, /line 3: functions\.a\.env\.B: OTHER is not set: ask the team/);
    assert.match(message, /env\.C: \$\{a\.b\} is no variable/);
    assert.match(message, /env\.D: \$\{ is no variable/);
    const one = read(text, [], "b");
    assert.deepEqual([one.names, one.definitions.length], [["a", "b"], 1]);
  });

  test("reads dotenv files: the later wins, env wins over all; a fault is told by its line", (t) => {
    const files = {
      "a.env": "\uFEFF# both\r\nA=1\r\nB='b b'\r\nexport C=\"two\nlines\"\r\n",
      "b.env": "A=2\nD=4\n",
      "bad.env": "A=1\nsecret-without-name\n\n9=1\n",
      "open.env": 'A=1\nB="never\nends\n',
    };
    const { read, refusal } = folder(t, files);
    const text = `
defaults: { envFile: a.env }
functions:
  a: { envFile: [./b.env], env: { D: "own" } }
`;
    const { settings } = read(text).definitions[0] ?? {};
    assert.deepEqual(settings, { env: { A: "2", B: "b b", C: "two\nlines", D: "own" } });
    const bad = refusal("functions:\n  a: { envFile: [bad.env, open.env, none.env] }");
    assert.match(bad, /bad\.env:2: expected NAME=value[\s\S]*bad\.env:4: /);
    assert.match(bad, /open\.env:2: the quote " that begins here does not end/);
    assert.match(bad, /line 2: functions\.a\.envFile: none\.env cannot be read: ENOENT/);
    assert.doesNotMatch(bad, /secret-without-name/);
  });

  test("takes CRLF, a byte order mark, anchors and merge keys", (t) => {
    const { dir, read } = folder(t);
    mkdirSync(join(dir, "src"));
    const text = [
      "\uFEFFfunctions:",
      "  a: &a { code: src, memoryMiB: 256, env: { X: '1' } }",
      "  b: { <<: *a, timeoutMs: 5 }",
      "",
    ].join("\r\n");
    const [, b] = read(text).definitions;
    assert.deepEqual(b?.settings, { memoryMiB: 256, env: { X: "1" }, timeoutMs: 5 });
    assert.equal(b?.codeDir, join(dir, "src"));
  });

  test("refuses the label that its name sets, and names that are no plain ones", (t) => {
    const { refusal, read } = folder(t);
    const own = 'name: shop\nfunctions: { a: { labels: { isola.app: "x" } } }';
    assert.match(refusal(own), /isola\.app is what `name` sets/);
    assert.match(refusal("functions: { __proto__: {} }"), /functions\.__proto__: expected a name/);
    assert.equal(read("name: shop\nfunctions: { a: {} }").app, "shop");
    assert.equal(read("functions: { a: {} }").app, null);
  });
});

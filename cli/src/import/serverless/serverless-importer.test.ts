import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  checkDefinition,
  folderOf,
  functionsIn,
  jsonOf,
  placesOf,
  runImport,
} from "../../../test/run-import.ts";

const restApi = `
service: todo-api
frameworkVersion: "4"
useDotenv: true
plugins:
  - serverless-offline
  - serverless-esbuild
custom:
  tableName: \${self:service}-\${sls:stage}-todos
  limits: \${file(limits.yml)}
provider:
  name: aws
  runtime: nodejs20.x
  stage: \${opt:stage, 'dev'}
  region: eu-central-1
  memorySize: 256
  environment:
    TABLE_NAME: \${self:custom.tableName}
    LOG_LEVEL: \${env:LOG_LEVEL, 'info'}
    API_TOKEN: \${ssm:/todo/\${sls:stage}/token}
    BUCKET: !Ref UploadsBucket
    PRICE: 'costs \\\${n}'
  iam:
    role:
      statements:
        - { Effect: Allow, Action: "dynamodb:*", Resource: !GetAtt TodosTable.Arn }
  vpc: { securityGroupIds: [sg-1], subnetIds: [subnet-1] }
package:
  patterns: ["!test/**", "!node_modules/aws-sdk/**"]
functions:
  listTodos:
    handler: src/todos.list
    events:
      - httpApi: GET /todos
  todo:
    handler: ./src/todos.one
    description: One todo, by its id
    timeout: 29
    reservedConcurrency: 5
    provisionedConcurrency: 2
    layers: [arn:aws:lambda:eu-central-1:1:layer:x:1]
    environment: { MAX_TODOS: "\${self:custom.limits.todos}" }
    events:
      - httpApi: { method: get, path: "/todos/{id}" }
      - httpApi: { method: delete, path: "/todos/{id}", authorizer: { name: jwt } }
      - sqs: arn:aws:sqs:eu-central-1:1:queue
  files:
    handler: src/files.serve
    events:
      - http: ANY /files
      - http: "ANY /files/{proxy+}"
  hook:
    handler: src/hook.handler
    url: true
  legacy:
    image: 1.dkr.ecr.eu-central-1.amazonaws.com/legacy
  rusty:
    handler: bootstrap
    runtime: provided.al2023
resources:
  Resources:
    TodosTable: { Type: "AWS::DynamoDB::Table" }
`;

const code = "export const list = 1";
const restApiFiles = {
  "serverless.yml": restApi,
  "limits.yml": "todos: 50\n",
  "src/todos.ts": code,
  "src/files.js": code,
  "src/hook.mjs": code,
  "package.json": '{"dependencies": {"ulid": "2.3.0"}}',
  "package-lock.json": "{}",
};

describe("the importer of serverless.yml", () => {
  test("takes over a REST API: routes, limits, environment and what is bundled", async (t) => {
    const dir = folderOf(t, restApiFiles);
    const result = await runImport(dir, "serverless.yml");
    const functions = functionsIn(dir);
    assert.deepEqual(Object.keys(functions), ["list-todos", "todo", "files", "files-2", "hook"]);
    const env = {
      TABLE_NAME: "todo-api-${STAGE:-dev}-todos",
      LOG_LEVEL: "${LOG_LEVEL:-info}",
      API_TOKEN: "${API_TOKEN}",
      BUCKET: "${BUCKET}",
      PRICE: "costs $${n}",
    };
    assert.deepEqual(functions["list-todos"], {
      runtime: "nodejs",
      handler: "src/todos.list",
      code: ".",
      route: { methods: ["GET"], path: "/todos" },
      memoryMiB: 256,
      timeoutMs: 6000,
      build: { bundle: true },
      env,
    });
    assert.deepEqual(functions.todo, {
      runtime: "nodejs",
      handler: "src/todos.one",
      code: ".",
      route: { methods: ["GET", "DELETE"], path: "/todos/:id" },
      description: "One todo, by its id",
      memoryMiB: 256,
      timeoutMs: 29_000,
      reservedConcurrency: 5,
      minSandboxes: 2,
      build: { bundle: true },
      env: { ...env, MAX_TODOS: "50" },
    });
    assert.deepEqual(functions.files.route, { path: "/files" });
    assert.deepEqual(functions["files-2"].route, { path: "/files/*" });
    assert.equal(functions.hook.route, undefined);
    assert.equal(result.exitCode, 1, "two functions did not come over");
    assert.deepEqual(jsonOf(result).refused, ["legacy", "rusty"]);
    assert.deepEqual(jsonOf(result).variables, ["API_TOKEN", "BUCKET"]);
    await checkDefinition(dir, { API_TOKEN: "a", BUCKET: "b" });
  });

  test("lists what has no equivalent by its place, with what to do instead", async (t) => {
    const dir = folderOf(t, restApiFiles);
    const { left, changed } = jsonOf(await runImport(dir, "serverless.yml", { stdout: true }));
    const places = placesOf(left);
    for (const place of [
      "functions.todo.layers",
      "functions.todo.events[1].httpApi.authorizer",
      "functions.todo.events[2].sqs",
      "functions.legacy",
      "functions.rusty",
      "resources",
      "provider.iam",
      "provider.vpc",
      "plugins",
    ])
      assert.ok(places.includes(place), `${place} of ${places}`);
    assert.ok(left.every(({ text }) => text.length > 10));
    const token = changed.find(({ place }) => place === "provider.environment.API_TOKEN");
    assert.match(token?.text ?? "", /ssm:.*set API_TOKEN when you deploy/);
    assert.ok(changed.some(({ text }) => text.includes("payload format 2.0")));
  });

  test("writes what the package does not need, and leaves an .isolaignore that is there", async (t) => {
    const dir = folderOf(t, restApiFiles);
    await runImport(dir, "serverless.yml");
    const lines = readFileSync(join(dir, ".isolaignore"), "utf8").trim().split("\n");
    assert.deepEqual(lines, [
      ...["serverless.yml", ".serverless", ".aws-sam", ".env*", "node_modules"],
      ...["test/**", "node_modules/aws-sdk/**"],
    ]);
    writeFileSync(join(dir, ".isolaignore"), "mine\n");
    const again = jsonOf(await runImport(dir, "serverless.yml", { force: true }));
    assert.equal(readFileSync(join(dir, ".isolaignore"), "utf8"), "mine\n");
    assert.ok(again.left.some(({ place }) => place.endsWith(".isolaignore")));
  });

  test("replaces isola.yaml with --force alone, writes to --output, and nothing with --stdout", async (t) => {
    const dir = folderOf(t, { ...restApiFiles, "isola.yaml": "mine" });
    await assert.rejects(runImport(dir, "serverless.yml"), /isola\.yaml is there already: --force/);
    assert.equal(readFileSync(join(dir, "isola.yaml"), "utf8"), "mine");
    assert.equal(existsSync(join(dir, ".isolaignore")), false);
    const shown = await runImport(dir, "serverless.yml", { stdout: true });
    assert.match(shown.text, /^# Made of serverless\.yml/);
    assert.deepEqual(jsonOf(shown).files, []);
    await runImport(dir, "serverless.yml", { output: "out/isola.yaml" });
    assert.match(readFileSync(join(dir, "out/isola.yaml"), "utf8"), /code: \.\./);
    await runImport(dir, "serverless.yml", { force: true });
    assert.notEqual(readFileSync(join(dir, "isola.yaml"), "utf8"), "mine");
  });

  test("gives functions without a route one where another's would take their default route", async (t) => {
    const dir = folderOf(t, {
      "serverless.yml": `
service: site
provider: aws
functions:
  app:
    handler: app.handler
    events: [httpApi: "*"]
  nightly: { handler: nightly.handler, runtime: nodejs22.x }
`,
      "app.js": code,
      "nightly.js": code,
    });
    await runImport(dir, "serverless.yml");
    const { app, nightly } = functionsIn(dir);
    assert.deepEqual([app.route, nightly.route], [{ path: "/*" }, { path: "/_/nightly" }]);
  });

  test("makes one route of several below one prefix where no parameter is lost", async (t) => {
    const dir = folderOf(t, {
      "serverless.yml": `
service: site
provider: aws
functions:
  admin:
    handler: app.handler
    events:
      - httpApi: GET /admin/users
      - httpApi: POST /admin/reports/daily
`,
      "app.js": code,
    });
    await runImport(dir, "serverless.yml");
    assert.deepEqual(functionsIn(dir).admin.route, { methods: ["GET", "POST"], path: "/admin/*" });
  });

  test("says without variables what isola.yaml cannot say with them", async (t) => {
    const dir = folderOf(t, {
      "serverless.yml": `
service: a
provider: aws
functions:
  one:
    handler: app.handler
    environment: { A: "$\${opt:stage, 'dev'}", B: "\${env:X, 'a}b'}", C: "a $ \${env:Y}" }
`,
      "app.js": code,
    });
    const { changed } = jsonOf(await runImport(dir, "serverless.yml"));
    assert.deepEqual(functionsIn(dir).one.env, { A: "$dev", B: "a}b", C: "a $ ${Y}" });
    const places = placesOf(changed).filter((place) => place.includes("environment"));
    assert.deepEqual(places, ["functions.one.environment.A", "functions.one.environment.B"]);
  });

  test("is recognised by its content under another name, and refuses programs and other clouds", async (t) => {
    const dir = folderOf(t, {
      "service.yaml": "service: a\nprovider: {name: google}\nfunctions: {}\n",
      "serverless.ts": "throw new Error('run')",
      "serverless.yml": "service: a\nprovider: aws\nfunctions: [1]\n",
    });
    await assert.rejects(runImport(dir, "service.yaml"), /is for the provider google/);
    await assert.rejects(runImport(dir, "serverless.ts"), /runs nothing: `npx serverless print/);
    await assert.rejects(runImport(dir, "serverless.yml"), /must hold `functions:`, a mapping/);
  });

  test("reads nothing outside of the folder, by a path or by a link", async (t) => {
    const outside = folderOf(t, { "secret.yml": "key: hunter2\n" });
    const dir = folderOf(t, {
      "serverless.yml": `
service: a
provider: aws
functions:
  one:
    handler: app.handler
    environment:
      A: \${file(${outside}/secret.yml):key}
      B: \${file(link.yml):key}
      C: \${file(../../etc/passwd), 'none'}
  two: { handler: ../app.handler }
`,
      "app.js": code,
    });
    symlinkSync(join(outside, "secret.yml"), join(dir, "link.yml"));
    const result = await runImport(dir, "serverless.yml");
    assert.deepEqual(functionsIn(dir).one.env, { A: "${A}", B: "${B}", C: "none" });
    assert.ok(!JSON.stringify(result).includes("hunter2"));
    assert.deepEqual(jsonOf(result).refused, ["two"]);
  });

  test("refuses variables that refer to each other without end, or grow without bound", async (t) => {
    const dir = folderOf(t, {
      "circle/serverless.yml":
        "service: a\nprovider: aws\ncustom: {a: '${self:custom.b}', b: '${self:custom.a}'}\nfunctions: {f: {handler: '${self:custom.a}'}}\n",
      "growth/serverless.yml": `service: a\nprovider: aws\ncustom:\n  v0: ${"x".repeat(1000)}\n${Array.from({ length: 12 }, (_, n) => `  v${n + 1}: "\${self:custom.v${n}}\${self:custom.v${n}}"`).join("\n")}\nfunctions: {f: {handler: '\${self:custom.v12}'}}\n`,
    });
    await assert.rejects(runImport(dir, "circle/serverless.yml"), /refer to each other/);
    await assert.rejects(runImport(dir, "growth/serverless.yml"), /characters|steps/);
  });

  test("writes nothing where no function came over, and says why", async (t) => {
    const dir = folderOf(t, {
      "serverless.yml": "service: a\nprovider: aws\nfunctions: {f: {image: x}}\n",
    });
    await assert.rejects(
      runImport(dir, "serverless.yml"),
      /no function that Isola can take.*\n.*functions\.f: is a container image/,
    );
    assert.equal(existsSync(join(dir, "isola.yaml")), false);
  });
});

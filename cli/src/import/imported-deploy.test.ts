import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TestServer } from "../../../server/test/harness.ts";
import { runIsola } from "../../test/run-isola.ts";
import { folderOf, jsonOf, runImport } from "../../test/run-import.ts";

describe("what was imported", () => {
  const server = new TestServer();
  before(() => server.start());
  after(() => server.dispose());
  const env = () => ({ ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey });

  test("of a serverless.yml deploys and answers on its routes, and its schedule runs", async (t) => {
    const dir = folderOf(t, {
      "serverless.yml": `
service: orders
provider: { name: aws, runtime: nodejs20.x, environment: { GREETING: hi } }
functions:
  createOrder: { handler: src/orders.create, events: [httpApi: POST /orders] }
  getOrder: { handler: src/orders.get, events: [httpApi: "GET /orders/{id}"] }
  report: { handler: jobs/report.run, runtime: python3.12, events: [schedule: rate(1 day)] }
`,
      "src/orders.js":
        "exports.create = async (event) => ({ statusCode: 201, body: event.body });\nexports.get = async (event) => ({ statusCode: 200, body: `${process.env.GREETING} ${event.pathParameters.id}` });\n",
      "jobs/report.py": "def run(event, context):\n    return event['detail-type']\n",
    });
    const { refused } = jsonOf(await runImport(dir, "serverless.yml"));
    assert.deepEqual(refused, []);
    const deployed = await runIsola(["deploy", dir, "--yes"], { env: env(), cwd: dir });
    assert.equal(deployed.exitCode, 0, deployed.stderr);
    const made = await server.call("/orders", { method: "POST", body: "7 eggs" });
    assert.deepEqual([made.status, made.text], [201, "7 eggs"]);
    assert.equal((await server.call("/orders/42")).text, "hi 42");
    assert.equal((await server.call("/orders/42", { method: "DELETE" })).status, 405);
    const again = await runIsola(["deploy", dir, "--check"], { env: env(), cwd: dir });
    assert.equal(again.exitCode, 0, again.stdout);

    const run = ["schedules", "run", "report", "schedule"];
    const ran = await runIsola(run, { env: env(), cwd: dir });
    assert.deepEqual([ran.stdout, ran.exitCode], ['"Scheduled Event"\n', 0], ran.stderr);
  });

  test("of a template of SAM deploys and answers", async (t) => {
    const dir = folderOf(t, {
      "template.yaml": `
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Timeout: 3, Runtime: python3.12 } }
Resources:
  HelloFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello_world/
      Handler: app.lambda_handler
      Events: { Hello: { Type: Api, Properties: { Path: /hello, Method: get } } }
`,
      "hello_world/__init__.py": "",
      "hello_world/app.py":
        'import json\n\n\ndef lambda_handler(event, context):\n    return {"statusCode": 200, "body": json.dumps({"message": "hello world"})}\n',
    });
    await runImport(dir, "template.yaml");
    const deployed = await runIsola(["deploy", dir, "--yes"], { env: env(), cwd: dir });
    assert.equal(deployed.exitCode, 0, deployed.stderr);
    assert.deepEqual((await server.call("/hello")).json, { message: "hello world" });
  });
});

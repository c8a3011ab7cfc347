import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
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

const helloWorld = `
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: dev }
  ApiToken: { Type: String, NoEcho: true, Default: s3cret }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Globals:
  Function:
    Timeout: 10
    Runtime: nodejs22.x
    Environment:
      Variables: { STAGE: !Ref Stage, LEVEL: info }
  HttpApi:
    Auth: { DefaultAuthorizer: Jwt }
Resources:
  HelloWorldFunction:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: esbuild
    Properties:
      CodeUri: hello-world/
      Handler: app.lambdaHandler
      Policies: [AmazonDynamoDBReadOnlyAccess]
      Environment:
        Variables:
          LEVEL: debug
          TABLE: !Ref Table
          NAME: !Sub "\${Stage}-\${!literal}-x"
          ARN: !Sub "\${Table.Arn}/index"
          TOKEN: !Ref ApiToken
          JOINED: !Join ["/", [a, !Ref Stage]]
      Events:
        Root: { Type: HttpApi, Properties: { Path: /hello, Method: get } }
        Queue: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn } }
  NightlyFunction:
    Type: AWS::Serverless::Function
    Condition: IsProd
    Properties:
      CodeUri: nightly
      Handler: src.app.handler
      Runtime: python3.12
      MemorySize: 512
      ReservedConcurrentExecutions: 0
      Events:
        Night:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: cron(30 2 * * ? *)
            ScheduleExpressionTimezone: Europe/London
            Input: '{"full": true, "text": ["\${AREA}"]}'
        Old: { Type: Schedule, Properties: { Schedule: rate(3 days) } }
        Off: { Type: Schedule, Properties: { Schedule: rate(1 hour), Enabled: false } }
        Quarter:
          Type: ScheduleV2
          Properties:
            Name: quarterly
            ScheduleExpression: cron(0 0 1 1,4,7,10 ? *)
            State: DISABLED
            StartDate: 2030-01-01T00:00:00Z
  ImageFunction:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image }
  InlineFunction:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Code: { ZipFile: "def handler(e, c): pass" }
  PlainFunction:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs20.x
      Handler: index.handler
      Code: ./plain
  Table: { Type: AWS::DynamoDB::Table }
`;

const helloFiles = {
  "template.yaml": helloWorld,
  "hello-world/app.ts": "export const lambdaHandler = 1",
  "hello-world/package.json": '{"devDependencies": {"esbuild": "1"}}',
  "nightly/src/app.py": "def handler(event, context): pass",
  "plain/index.js": "exports.handler = 1",
};

describe("the importer of templates of SAM", () => {
  test("takes over functions with Globals, parameters, and their folders", async (t) => {
    const dir = folderOf(t, helloFiles);
    const result = await runImport(dir, "template.yaml");
    const functions = functionsIn(dir);
    assert.deepEqual(functions["hello-world-function"], {
      runtime: "nodejs",
      handler: "app.lambdaHandler",
      code: "./hello-world",
      route: { methods: ["GET"], path: "/hello" },
      memoryMiB: 128,
      timeoutMs: 10_000,
      build: { bundle: true },
      env: {
        STAGE: "${STAGE:-dev}",
        LEVEL: "debug",
        TABLE: "${TABLE}",
        NAME: "${STAGE:-dev}-$${literal}-x",
        ARN: "${ARN}",
        TOKEN: "${API_TOKEN}",
        JOINED: "a/${STAGE:-dev}",
      },
    });
    assert.deepEqual(functions["nightly-function"], {
      runtime: "python",
      handler: "src.app.handler",
      code: "./nightly",
      memoryMiB: 512,
      timeoutMs: 10_000,
      reservedConcurrency: 1,
      env: { STAGE: "${STAGE:-dev}", LEVEL: "info" },
      schedules: [
        {
          name: "night",
          cron: "30 2 * * *",
          timeZone: "Europe/London",
          event: { full: true, text: ["$${AREA}"] },
        },
        { name: "off", cron: "0 * * * *", enabled: false },
        { name: "quarterly", cron: "0 0 1 1,4,7,10 *", enabled: false },
      ],
    });
    assert.equal(functions["plain-function"].timeoutMs, 3000, "Globals are not CloudFormation's");
    assert.deepEqual(jsonOf(result).refused, ["ImageFunction", "InlineFunction"]);
    await checkDefinition(dir, { TABLE: "t", ARN: "a", API_TOKEN: "s" });
    assert.equal(readFileSync(join(dir, "hello-world/.isolaignore"), "utf8"), "node_modules\n");
  });

  test("lists what has no equivalent, and says that routes are open now", async (t) => {
    const dir = folderOf(t, helloFiles);
    const { left, changed } = jsonOf(await runImport(dir, "template.yaml"));
    const places = placesOf(left);
    for (const place of [
      "Globals.HttpApi.Auth",
      "Resources.HelloWorldFunction.Policies",
      "Resources.HelloWorldFunction.Events.Queue.SQS",
      "Resources.NightlyFunction.Events.Old.Schedule",
      "Resources.NightlyFunction.Events.Quarter.ScheduleV2",
      "Resources.Table",
    ])
      assert.ok(places.includes(place), `${place} of ${places}`);
    assert.ok(changed.some(({ text }) => text === "Condition IsProd is taken to hold"));
    assert.ok(!readFileSync(join(dir, "isola.yaml"), "utf8").includes("s3cret"));
  });

  test("takes schedules that stand beside the functions that they call", async (t) => {
    const dir = folderOf(t, {
      "template.yaml": `
Resources:
  Report:
    Type: AWS::Lambda::Function
    Properties: { Runtime: python3.12, Handler: app.run, Code: . }
  Image:
    Type: AWS::Lambda::Function
    Properties: { PackageType: Image, Code: { ImageUri: x } }
  Mornings:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: cron(0 8 ? * MON-FRI *)
      State: DISABLED
      Targets:
        - { Id: a, Arn: !GetAtt Report.Arn, Input: '{"full": true}' }
        - { Id: b, Arn: !GetAtt Image.Arn }
        - { Id: c, Arn: !Ref Topic }
  Night:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: nightly
      ScheduleExpression: cron(0 3 * * ? *)
      ScheduleExpressionTimezone: Europe/Berlin
      FlexibleTimeWindow: { Mode: "OFF" }
      Target: { Arn: !GetAtt Report.Arn, RoleArn: !GetAtt Role.Arn }
  Ordered:
    Type: AWS::Events::Rule
    Properties: { EventPattern: { source: [shop] }, Targets: [{ Id: a, Arn: !GetAtt Report.Arn }] }
`,
      "app.py": "def run(event, context): pass",
    });
    const { left } = jsonOf(await runImport(dir, "template.yaml"));
    assert.deepEqual(functionsIn(dir).report.schedules, [
      { name: "mornings", cron: "0 8 * * 1-5", enabled: false, event: { full: true } },
      { name: "nightly", cron: "0 3 * * *", timeZone: "Europe/Berlin" },
    ]);
    const told = placesOf(left).filter((place) => /Mornings|Night|Ordered/.test(place));
    assert.deepEqual(told, ["Resources.Mornings", "Resources.Ordered"], "as they stand there");
    await checkDefinition(dir);
  });

  test("tells what of a schedule has no equivalent, and an input that it does not know", async (t) => {
    const retry = `RetryPolicy: { MaximumRetryAttempts: 3 }, DeadLetterConfig: { Arn: "arn:aws:sqs:eu-central-1:1:dead" }`;
    const dir = folderOf(t, {
      "template.yaml": `
Resources:
  Report:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.run
      Events:
        Loose:
          Type: ScheduleV2
          Properties: { ScheduleExpression: rate(1 hour), FlexibleTimeWindow: { Mode: FLEXIBLE, MaximumWindowInMinutes: 5 }, ${retry} }
        Text: { Type: Schedule, Properties: { Schedule: rate(1 hour), Input: hello } }
        Far: { Type: Schedule, Properties: { Schedule: rate(1 hour), Input: !ImportValue input } }
  Night:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: cron(0 3 * * ? *)
      FlexibleTimeWindow: { Mode: "OFF" }
      Target: { Arn: !GetAtt Report.Arn, Input: '{"full": true}', ${retry} }
`,
      "app.py": "def run(event, context): pass",
    });
    const { left } = jsonOf(await runImport(dir, "template.yaml"));
    assert.deepEqual(functionsIn(dir).report.schedules, [
      ...["loose", "text", "far"].map((name) => ({ name, cron: "0 * * * *" })),
      { name: "night", cron: "0 3 * * *", event: { full: true } },
    ]);
    assert.deepEqual(placesOf(left), [
      "Resources.Report.Events.Loose.ScheduleV2.RetryPolicy",
      "Resources.Report.Events.Loose.ScheduleV2.DeadLetterConfig",
      "Resources.Report.Events.Loose.ScheduleV2.FlexibleTimeWindow",
      "Resources.Report.Events.Text.Schedule.Input",
      "Resources.Report.Events.Far.Schedule.Input",
      "Resources.Night.RetryPolicy",
      "Resources.Night.DeadLetterConfig",
    ]);
    await checkDefinition(dir);
  });

  test("reads the same template as JSON, with the long form of the functions of templates", async (t) => {
    const template = {
      Transform: "AWS::Serverless-2016-10-31",
      Parameters: { Stage: { Type: "String", Default: "dev" } },
      Resources: {
        Api: {
          Type: "AWS::Serverless::Function",
          Properties: {
            Runtime: "python3.11",
            Handler: "app.handler",
            CodeUri: "s3://bucket/key",
          },
        },
        Rest: {
          Type: "AWS::Serverless::Function",
          Properties: {
            Runtime: "python3.11",
            Handler: "app.handler",
            FunctionUrlConfig: { AuthType: "AWS_IAM" },
            Environment: { Variables: { A: { "Fn::Sub": "x-${Stage}" } } },
            Events: {
              Get: { Type: "Api", Properties: { Path: "/orders/{order-id}", Method: "ANY" } },
              Proxy: {
                Type: "Api",
                Properties: { Path: "/orders/{order-id}/{proxy+}", Method: "get" },
              },
            },
          },
        },
      },
    };
    const dir = folderOf(t, { "infra.json": JSON.stringify(template), "app.py": "" });
    const { left, changed, refused } = jsonOf(await runImport(dir, "infra.json"));
    const functions = functionsIn(dir);
    assert.deepEqual(functions.rest.route, { path: "/orders/:order_id" });
    assert.deepEqual(functions["rest-2"].route, { methods: ["GET"], path: "/orders/:order_id/*" });
    assert.deepEqual(functions.rest.env, { A: "x-${STAGE:-dev}" });
    assert.deepEqual(refused, ["Api"]);
    assert.ok(placesOf(left).includes("Resources.Rest.FunctionUrlConfig"));
    assert.ok(changed.some(({ text }) => text.includes("payload format 2.0")));
  });

  test("refuses what is no template, too large, too deep, or grows by aliases", async (t) => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[..."bcdefgh"].map((name, at) => `${name}: &${name} [${Array(10).fill(`*${"abcdefg"[at]}`).join(",")}]`).join("\n")}\nResources: {}\n`;
    const dir = folderOf(t, {
      "template.yaml": "Resources: 5\n",
      "deep/template.yaml": `Resources: ${"[".repeat(100_000)}`,
      "wide/template.yaml": `Resources: {a: "${"x".repeat(1_100_000)}"}`,
      "bomb/template.yaml": bomb,
      "circle/template.yaml": "Resources: &a {b: *a}\n",
      "proto/template.yaml": "Resources: {__proto__: {polluted: 1}}\n",
      "broken/template.yaml": "Resources: {a: [",
    });
    const cases: [string, RegExp][] = [
      ["template.yaml", /must hold `Resources:`, a mapping/],
      ["deep/template.yaml", /nested more than 64 levels/],
      ["wide/template.yaml", /more than 1048576 bytes/],
      ["bomb/template.yaml", /more than 50000 values/],
      ["circle/template.yaml", /nested more than 64 levels/],
      ["proto/template.yaml", /a key __proto__/],
      ["broken/template.yaml", /is not YAML or JSON/],
    ];
    for (const [file, expected] of cases)
      await assert.rejects(runImport(dir, file), expected, file);
    assert.equal(existsSync(join(dir, "isola.yaml")), false);
  });
});

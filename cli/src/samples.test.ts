import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createClient } from "@isola/client";
import { runIsola } from "../test/run-isola.ts";
import { type OwnServer, startOwnServer } from "./dev/own-server.ts";
import { readSample, sampleNames, sampleSummaries } from "./samples.ts";

const record = (path: string) => `Records.0.${path}`;
const http2 = [
  ...["version", "routeKey", "rawPath", "rawQueryString", "cookies", "headers", "body"],
  ...["queryStringParameters", "isBase64Encoded", "requestContext.http.method"],
  ...["requestContext.http.path", "requestContext.http.protocol", "requestContext.http.sourceIp"],
  ...["requestContext.http.userAgent", "requestContext.requestId", "requestContext.routeKey"],
  ...["requestContext.stage", "requestContext.time", "requestContext.timeEpoch"],
  ...["requestContext.domainName", "requestContext.domainPrefix", "requestContext.apiId"],
];
const s3 = [
  ...["eventVersion", "eventSource", "awsRegion", "eventTime", "eventName", "userIdentity"],
  ...["requestParameters.sourceIPAddress", "responseElements", "s3.s3SchemaVersion"],
  ...["s3.configurationId", "s3.bucket.name", "s3.bucket.ownerIdentity.principalId"],
  ...["s3.bucket.arn", "s3.object.key", "s3.object.sequencer"],
].map(record);
const rule = [
  ...["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"],
];
/** What the documentation of each shape calls its fields; samples/README.md names it. */
const needed: Record<string, readonly string[]> = {
  http: http2,
  "api-gateway-v2": [...http2, "pathParameters", "stageVariables"],
  "api-gateway-v1": [
    ...["resource", "path", "httpMethod", "headers", "multiValueHeaders", "pathParameters"],
    ...["queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "body"],
    ...["isBase64Encoded", "requestContext.identity.sourceIp", "requestContext.stage"],
    ...["requestContext.resourcePath", "requestContext.requestId", "requestContext.httpMethod"],
  ],
  alb: [
    ...["requestContext.elb.targetGroupArn", "httpMethod", "path", "queryStringParameters"],
    ...["headers", "body", "isBase64Encoded"],
  ],
  "s3-put": [...s3, record("s3.object.size"), record("s3.object.eTag")],
  "s3-delete": s3,
  sqs: [
    ...["messageId", "receiptHandle", "body", "attributes.ApproximateReceiveCount"],
    ...["attributes.SentTimestamp", "attributes.SenderId", "messageAttributes", "md5OfBody"],
    ...["attributes.ApproximateFirstReceiveTimestamp", "eventSource", "eventSourceARN"],
    "awsRegion",
  ].map(record),
  sns: [
    ...["EventVersion", "EventSubscriptionArn", "EventSource", "Sns.SignatureVersion"],
    ...["Sns.Timestamp", "Sns.Signature", "Sns.SigningCertUrl", "Sns.MessageId", "Sns.Message"],
    ...["Sns.MessageAttributes", "Sns.Type", "Sns.UnsubscribeUrl", "Sns.TopicArn", "Sns.Subject"],
  ].map(record),
  dynamodb: [
    ...["eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "eventSourceARN"],
    ...["dynamodb.ApproximateCreationDateTime", "dynamodb.Keys", "dynamodb.NewImage"],
    ...["dynamodb.SequenceNumber", "dynamodb.SizeBytes", "dynamodb.StreamViewType"],
  ].map(record),
  kinesis: [
    ...["kinesis.kinesisSchemaVersion", "kinesis.partitionKey", "kinesis.sequenceNumber"],
    ...["kinesis.data", "kinesis.approximateArrivalTimestamp", "eventSource", "eventVersion"],
    ...["eventID", "eventName", "invokeIdentityArn", "awsRegion", "eventSourceARN"],
  ].map(record),
  eventbridge: rule,
  scheduled: rule,
  cognito: [
    ...["version", "triggerSource", "region", "userPoolId", "userName", "response"],
    ...["callerContext.awsSdkVersion", "callerContext.clientId", "request.userAttributes"],
  ],
  cloudfront: [
    ...["config.distributionDomainName", "config.distributionId", "config.eventType"],
    ...["config.requestId", "request.clientIp", "request.method", "request.uri"],
    ...["request.querystring", "request.headers.host"],
  ].map((path) => record(`cf.${path}`)),
  cloudevents: ["specversion", "id", "source", "type", "time", "datacontenttype", "data"],
};

const dir = mkdtempSync(join(tmpdir(), "isola-samples-"));
let server: OwnServer;

before(async () => {
  const env = { ...process.env, ISOLA_DEFAULT_DRIVER: "process" };
  const started = await startOwnServer(dir, env, AbortSignal.timeout(60_000));
  assert.ok(started !== null);
  server = started;
});

after(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

describe("sample events", () => {
  test("have the fields that their shapes are documented with", () => {
    assert.deepEqual(sampleNames(), Object.keys(needed).sort());
    for (const [name, paths] of Object.entries(needed)) {
      const event: unknown = JSON.parse(readSample(name).text);
      for (const path of paths)
        assert.notEqual(memberAt(event, path), undefined, `${name}: ${path}`);
    }
  });

  test("are listed with what they are, and shown as they are", async () => {
    const given = { env: {}, cwd: dir };
    const { exitCode, stdout } = await runIsola(["samples", "list"], given);
    assert.equal(exitCode, 0);
    for (const name of sampleNames()) {
      assert.ok(sampleSummaries().get(name), name);
      assert.match(stdout, new RegExp(`^${name} +\\S`, "m"));
      const shown = await runIsola(["samples", "show", name], given);
      assert.equal(shown.stdout, `${readSample(name).text}\n`);
    }
    for (const wrong of [
      ["samples", "show"],
      ["samples", "show", "../x"],
      ["samples", "drop"],
    ])
      assert.equal((await runIsola(wrong, given)).exitCode, 2, wrong.join(" "));
  });

  test("reach functions of Node.js and Python unchanged", async () => {
    const client = createClient(server);
    const js = { "index.mjs": "export const handler = async (event) => ({ event });" };
    const py = { "app.py": 'def handler(event, context):\n    return {"event": event}\n' };
    await client.createFunction({ name: "js", runtime: "nodejs", code: { files: js } });
    await client.createFunction({ name: "py", runtime: "python", code: { files: py } });
    const env = { ISOLA_URL: server.url, ISOLA_API_KEY: server.apiKey };
    for (const name of sampleNames())
      for (const fn of ["js", "py"]) {
        const { stdout } = await runIsola(["invoke", fn, "--sample", name], { env, cwd: dir });
        assert.deepEqual(JSON.parse(stdout), { event: JSON.parse(readSample(name).text) }, name);
      }
  });
});

function memberAt(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce((member, name) => (member as Record<string, unknown> | undefined)?.[name], value);
}

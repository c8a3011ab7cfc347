import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  checkDefinition,
  folderOf,
  functionsIn,
  jsonOf,
  placesOf,
  runImport,
} from "../../../test/run-import.ts";

describe("schedules of a serverless.yml", () => {
  test("keeps schedules with their names, time zones and inputs, and lists those that five fields cannot say", async (t) => {
    const dir = folderOf(t, {
      "serverless.yml": `
service: jobs
provider: { name: aws, runtime: python3.12, timeout: 900 }
functions:
  cleanup:
    handler: jobs/cleanup.run
    events:
      - schedule: rate(5 minutes)
      - schedule: { rate: "cron(0 8 ? * MON-FRI *)", name: workdayMornings, timezone: Europe/Berlin, input: { note: "100%", of: "\${ssm:/note}" } }
      - schedule: { rate: [cron(0 0 L * ? *), cron(0 0 ? * 6L *)], timezone: UTC }
      - schedule: { rate: rate(1 day), enabled: false, timezone: Europe/Berlin }
      - schedule: rate(90 minutes)
      - schedule: { rate: cron(0 8 * * ? *), timezone: Mars/Olympus }
      - schedule: { rate: cron(0 9 * * ? *), timezone: "\${ssm:/zone}", enabled: "\${ssm:/on}" }
      - schedule: { rate: cron(0 1 * * ? *), input: { long: "${"x".repeat(65_536)}" } }
`,
      "jobs/cleanup.py": "def run(event, context):\n    return event\n",
    });
    const result = await runImport(dir, "serverless.yml");
    const { changed, left } = jsonOf(result);
    assert.ok(placesOf(changed).includes("functions.cleanup.events[1].schedule.input"));
    assert.deepEqual(placesOf(left), [
      "functions.cleanup.events[4].schedule",
      "functions.cleanup.events[5].schedule",
      "functions.cleanup.events[6].schedule.timezone",
      "functions.cleanup.events[6].schedule.enabled",
      "functions.cleanup.events[7].schedule",
    ]);
    assert.match(left[0]?.text ?? "", /^rate\(90 minutes\) divides neither/);
    assert.deepEqual(functionsIn(dir).cleanup, {
      runtime: "python",
      handler: "jobs/cleanup.run",
      code: ".",
      memoryMiB: 1024,
      timeoutMs: 900_000,
      schedules: [
        { name: "schedule", cron: "*/5 * * * *" },
        {
          name: "workday-mornings",
          cron: "0 8 * * 1-5",
          timeZone: "Europe/Berlin",
          event: { note: "100%", of: null },
        },
        { name: "schedule-2", cron: "0 0 L * *" },
        { name: "schedule-3", cron: "0 0 * * 5L" },
        { name: "schedule-4", cron: "0 0 * * *", enabled: false },
        { name: "schedule-5", cron: "0 9 * * *" },
      ],
    });
    assert.match(result.text, /^ {4}workday-mornings: 0 8 \* \* 1-5 Europe\/Berlin$/m);
    assert.match(result.text, /^ {4}schedule-4: 0 0 \* \* \* UTC, switched off$/m);
    await checkDefinition(dir);
  });

  test("gives the function the JSON that text is there, and takes the times of rules of EventBridge", async (t) => {
    const dir = folderOf(t, {
      "serverless.yml": `
service: jobs
provider: { name: aws, runtime: python3.12 }
functions:
  report:
    handler: report.run
    events:
      - schedule: { rate: rate(1 hour), name: text, input: '{"a": [1]}' }
      - schedule: { rate: rate(1 hour), name: body, input: { body: '{"b": 2}' } }
      - schedule: { rate: rate(1 hour), name: none, input: hello }
      - schedule: { rate: rate(1 hour), name: unknown, input: "\${ssm:/input}" }
      - eventBridge:
          schedule: rate(10 minutes)
          name: often
          enabled: false
          input: { body: '{"b": 2}', stage: "\${sls:stage}" }
          retryPolicy: { maximumRetryAttempts: 3 }
          deadLetterQueueArn: arn:aws:sqs:eu-central-1:1:dead
      - eventBridge: { schedule: cron(0 8 * * ? *), pattern: { source: [shop] } }
      - eventBridge: { pattern: { source: [shop] } }
`,
      "report.py": "def run(event, context): pass",
    });
    const { changed, left } = jsonOf(await runImport(dir, "serverless.yml"));
    assert.deepEqual(functionsIn(dir).report.schedules, [
      { name: "text", cron: "0 * * * *", event: { a: [1] } },
      { name: "body", cron: "0 * * * *", event: { body: { b: 2 } } },
      { name: "none", cron: "0 * * * *" },
      { name: "unknown", cron: "0 * * * *" },
      {
        name: "often",
        cron: "*/10 * * * *",
        enabled: false,
        event: { body: '{"b": 2}', stage: "dev" },
      },
      { name: "schedule", cron: "0 8 * * *" },
    ]);
    assert.deepEqual(placesOf(left), [
      "functions.report.events[2].schedule.input",
      "functions.report.events[4].eventBridge.retryPolicy",
      "functions.report.events[4].eventBridge.deadLetterQueueArn",
      "functions.report.events[5].eventBridge.pattern",
      "functions.report.events[6].eventBridge",
    ]);
    const places = placesOf(changed).filter((place) => place.endsWith(".input"));
    assert.deepEqual(places, ["functions.report.events[3].schedule.input"]);
    await checkDefinition(dir);
  });

  test("keeps 20 schedules of a function and tells of the others", async (t) => {
    const events = Array.from({ length: 21 }, () => "{ schedule: rate(1 day) }").join(", ");
    const dir = folderOf(t, {
      "serverless.yml": `
service: jobs
provider: { name: aws, runtime: python3.12 }
functions: { many: { handler: many.run, events: [${events}] } }
`,
      "many.py": "def run(event, context): pass",
    });
    const { left } = jsonOf(await runImport(dir, "serverless.yml"));
    assert.equal(functionsIn(dir).many.schedules.length, 20);
    assert.match(left[0]?.text ?? "", /a function has 20 schedules/);
    await checkDefinition(dir);
  });
});

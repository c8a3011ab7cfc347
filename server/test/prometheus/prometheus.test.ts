import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readExposition, sumOf } from "../../src/metrics/exposition/exposition-reader.fixture.ts";
import {
  type ExportedName,
  exportedMetrics,
} from "../../src/metrics/exposition/exported-metrics.ts";
import { TestServer, eventually, gatewayOf } from "../harness.ts";
import { childrenOf } from "../processes.ts";
import { RealPrometheus, freePort, noPrometheus, promtool } from "./real-prometheus.ts";
import {
  alerts,
  dashboardExpressions,
  dashboardVariables,
  seriesNamesIn,
  shipped,
  shippedDir,
} from "./shipped.ts";

const calls = { hello: 37, broken: 5 };
let server: TestServer;
let prometheus: RealPrometheus;
let key: string;
let keylessUrl: string;

const code = (body: string) => ({ "index.mjs": `export const handler = async () => { ${body} };` });

/** The file that is shipped, for the server of this test and with less patience. */
function configuration(): string {
  return shipped("prometheus.yml")
    .replace("127.0.0.1:8081", new URL(server.apiUrl).host)
    .replaceAll("15s", "1s");
}

async function scrape() {
  const answer = await server.api("GET", "/metrics", undefined, { authorization: `Bearer ${key}` });
  assert.equal(answer.status, 200, answer.text);
  return readExposition(answer.text);
}

before(async () => {
  if (noPrometheus !== false) return;
  const port = await freePort();
  keylessUrl = `http://127.0.0.1:${port}/metrics`;
  server = await new TestServer({ ISOLA_METRICS_PORT: String(port) }).start();
  key = (await server.api("POST", "/api/v1/keys", { name: "prometheus", scopes: ["read"] })).json
    .key;
  await server.deploy("hello", code("return 'hello'"));
  await server.deploy("broken", code("throw new Error('broken')"));
  await server.deploy("endless", code("for (;;);"), { timeoutMs: 300 });
  prometheus = await RealPrometheus.open({
    "prometheus.yml": configuration(),
    "isola.rules.yml": shipped("isola.rules.yml"),
    "isola-key": key,
  });
  for (let call = 0; call < calls.hello; call += 1) await server.call("/hello");
  for (let call = 0; call < calls.broken; call += 1) await server.call("/broken");
  assert.equal((await server.call("/endless")).status, 504);
});

after(async () => {
  await prometheus?.close();
  await server?.dispose();
});

describe("what is shipped for Prometheus", { skip: noPrometheus }, () => {
  test("is taken by promtool: the configuration, the rules, and their own tests", async () => {
    const checks = [
      ["check", "config", join(prometheus.dir, "prometheus.yml")],
      ["check", "rules", join(shippedDir, "isola.rules.yml")],
      ["test", "rules", join(shippedDir, "isola.rules.test.yml")],
    ];
    for (const check of checks) {
      const { code: exitCode, said } = await promtool(check);
      assert.equal(exitCode, 0, said);
    }
    const tested = shipped("isola.rules.test.yml");
    for (const { alert } of alerts())
      assert.match(tested, new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n`), alert);
  });
});

describe("a Prometheus that scrapes Isola with a key", {
  skip: noPrometheus,
  timeout: 90_000,
}, () => {
  test("has the numbers of the calls that were made", async () => {
    const expected: [string, number][] = [
      [`sum(isola_invocations_total{function="hello",outcome="ok"})`, calls.hello],
      [`sum(isola_invocations_total{function="broken",outcome="function_error"})`, calls.broken],
      [`sum(isola_invocations_total)`, calls.hello + calls.broken + 1],
      [`isola_invocation_errors_total{function="broken"}`, calls.broken],
      [`isola_invocation_errors_total{function="hello"}`, 0],
      [`isola_invocation_duration_seconds_count{function="hello"}`, calls.hello],
      [`isola_invocation_duration_seconds_bucket{function="hello",le="+Inf"}`, calls.hello],
      [`isola_invocation_kill_seconds_count{function="endless"}`, 1],
      [`sum(isola_sandbox_ends_total{reason="timeout"})`, 1],
      [`isola_gateway_up`, 1],
      [`up{job="isola"}`, 1],
      [`max(isola_driver_available{driver="process"})`, 1],
    ];
    for (const [expression, value] of expected) {
      let last: number | null = null;
      await eventually(`${expression} == ${value}`, async () => {
        last = await prometheus.valueOf(expression);
        return last === value;
      }).catch((error: unknown) => assert.fail(`${String(error)}; it is ${last}`));
    }
    const seconds = await prometheus.valueOf(
      `isola_invocation_duration_seconds_sum{function="endless"}`,
    );
    assert.ok(seconds !== null && seconds >= 0.3, `${seconds} s`);
  });

  test("takes every expression of the dashboard and of the alerts, and has every series they name", async () => {
    const expressions = [
      ...dashboardExpressions(),
      ...alerts().map(({ alert, expr }): [string, string] => [alert, expr]),
      ...dashboardVariables().map(({ series, label }): [string, string] => [label, series]),
    ];
    assert.ok(expressions.length > 60, `${expressions.length} expressions`);
    const names = new Set(expressions.flatMap(([, expr]) => seriesNamesIn(expr)));
    for (const name of names)
      await eventually(`a series ${name}`, async () => (await prometheus.query(name)).length > 0);
    for (const [place, expr] of expressions) {
      assert.ok(seriesNamesIn(expr).length > 0 || expr.includes("up{"), `${place}: ${expr}`);
      await prometheus.query(expr).catch((error: unknown) => assert.fail(`${place}: ${error}`));
    }
    for (const { series, label } of dashboardVariables())
      assert.ok(
        (await prometheus.query(`count by (${label}) (${series})`))[0]?.metric[label],
        label,
      );
    const told = new Set([...names].map((name) => name.replace(/_(bucket|sum|count)$/, "")));
    const used = (Object.keys(exportedMetrics) as ExportedName[]).filter((name) => told.has(name));
    assert.deepEqual(
      Object.keys(exportedMetrics).filter((name) => !used.includes(name as ExportedName)),
      [],
      "the dashboard shows every metric",
    );
  });

  test("evaluates the alerts without a failure", async () => {
    const rules = await eventually("all rules evaluated", async () => {
      const all = await prometheus.rules();
      return all.length > 0 && all.every(({ health }) => health !== "unknown") ? all : null;
    });
    assert.equal(rules.length, alerts().length);
    for (const { name, health, lastError } of rules)
      assert.equal(health, "ok", `${name}: ${lastError}`);
  });
});

describe("what /metrics says", { skip: noPrometheus, timeout: 60_000 }, () => {
  test("passes promtool, and is the same without a key on the port of its own", async () => {
    const { text } = await server.api("GET", "/metrics", undefined, {
      authorization: `Bearer ${key}`,
    });
    const { code: exitCode, said } = await promtool(["check", "metrics"], text);
    assert.deepEqual([exitCode, said], [0, ""]);
    const keyless = await fetch(keylessUrl);
    assert.equal(keyless.status, 200);
    const names = (samples: ReturnType<typeof readExposition>) =>
      samples.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
    assert.deepEqual(names(readExposition(await keyless.text())), names(readExposition(text)));
  });

  test("is told while the gateway stands still", async () => {
    const gateway = gatewayOf(server);
    process.kill(gateway, "SIGSTOP");
    try {
      const samples = await scrape();
      const hello = { function: "hello" };
      assert.equal(sumOf(samples, "isola_invocations_total", hello), calls.hello);
    } finally {
      process.kill(gateway, "SIGCONT");
    }
  });

  test("begins at zero with the control plane, and counts then what comes", async () => {
    const control = () => childrenOf(server.pid, "control")[0] ?? 0;
    const killed = control();
    process.kill(killed, "SIGKILL");
    await eventually("another control plane", async () => ![0, killed].includes(control()));
    const first = await eventually("its metrics", () => scrape().catch(() => null));
    assert.equal(sumOf(first, "isola_invocations_total"), 0);
    for (let call = 0; call < 4; call += 1) await server.call("/hello");
    const after = await eventually("four calls", async () => {
      const samples = await scrape();
      return sumOf(samples, "isola_invocations_total") >= 4 ? samples : null;
    });
    assert.equal(sumOf(after, "isola_invocations_total", { function: "hello" }), 4);
    const again = `sum(isola_invocations_total{function="hello"})`;
    await eventually("four calls", async () => (await prometheus.valueOf(again)) === 4);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { EXPOSITION_TYPE, ExpositionText } from "../../src/metrics/exposition/exposition-text.ts";
import { hostileNames } from "../../src/metrics/exposition/hostile-names.fixture.ts";
import { eventually } from "../harness.ts";
import { RealPrometheus, noPrometheus, promtool } from "./real-prometheus.ts";

const series = "isola_invocation_errors_total";

async function serve(t: TestContext, text: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", EXPOSITION_TYPE).end(text);
  });
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a Prometheus reads any names as they were, one series for each", {
  skip: noPrometheus,
  timeout: 60_000,
}, async (t) => {
  const text = new ExpositionText();
  const pairs = hostileNames.flatMap((project) => hostileNames.map((name) => [project, name]));
  for (const [at, [project = "", name = ""]] of pairs.entries())
    text.add(series, { project, function: name, driver: "process" }, at);
  const told = text.toString();
  assert.deepEqual(await promtool(["check", "metrics"], told), { code: 0, said: "" });
  const target = await serve(t, told);
  const config = {
    job_name: "hostile",
    scrape_interval: "1s",
    static_configs: [{ targets: [target] }],
  };
  const prometheus = await RealPrometheus.open({
    "prometheus.yml": JSON.stringify({ scrape_configs: [config] }),
  });
  t.after(() => prometheus.close());
  const found = await eventually("the series", async () => {
    const all = await prometheus.query(series);
    return all.length > 0 ? all : null;
  });
  assert.deepEqual(
    new Map(
      found.map(({ metric, value }) => [
        JSON.stringify([metric.project, metric.function]),
        Number(value[1]),
      ]),
    ),
    new Map(pairs.map((pair, at) => [JSON.stringify(pair), at])),
  );
});

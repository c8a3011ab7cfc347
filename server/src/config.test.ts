import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Config, describeSettings, loadConfig, urlOf, withPorts } from "./config.ts";
import { IsolaError } from "./errors.ts";
import { settingNames } from "./settings/schema.ts";

const MiB = 1_048_576;

function load(argv: string[] = [], env: NodeJS.ProcessEnv = {}, cwd = "/srv/app"): Config {
  return loadConfig({ argv, env, cwd, memoryBytes: 1000 * MiB });
}

function failure(run: () => unknown): IsolaError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof IsolaError);
    assert.equal(error.code, "invalid_settings");
    return error;
  }
  assert.fail("the settings were accepted");
}

function withFile(name: string, text: string, use: (path: string, dir: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), "isola-config-"));
  try {
    const path = join(dir, name);
    writeFileSync(path, text);
    use(path, dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe("settings", () => {
  test("have defaults that need no configuration", () => {
    const config = load();
    assert.equal(config.data, "/srv/app/data");
    assert.equal(config.gatewayPort, 8080);
    assert.equal(config.publicUrl, "http://127.0.0.1:8080");
    assert.equal(config.memoryBudgetMiB, 700);
    assert.equal(config.python, null);
    assert.deepEqual(config.allowedHosts, []);
    assert.ok(Object.isFrozen(config));
  });

  test("come from flags over variables over the file over defaults", () => {
    const text = "gatewayPort: 1001\ncontrolPort: 1002\nblankNodejs: 7\ndata: store\n";
    withFile("isola.yaml", text, (path, dir) => {
      const env = { ISOLA_CONFIG: path, ISOLA_GATEWAY_PORT: "2001", ISOLA_CONTROL_PORT: "2002" };
      const config = load(["--gateway-port", "3001"], env);
      assert.equal(config.gatewayPort, 3001);
      assert.equal(config.controlPort, 2002);
      assert.equal(config.blankNodejs, 7);
      assert.equal(config.blankPython, 2);
      assert.equal(config.data, join(dir, "store"), "a path in a file starts at the file");
    });
  });

  test("may stand in a JSON file, named by --config over ISOLA_CONFIG", () => {
    withFile("isola.json", '{"allowedHosts": ["A.example"], "acceptNoIsolation": true}', (path) => {
      const config = load([`--config=${path}`], { ISOLA_CONFIG: "/nowhere" });
      assert.deepEqual(config.allowedHosts, ["a.example"]);
      assert.equal(config.acceptNoIsolation, true);
    });
  });

  test("that are wrong or unknown are reported all together", () => {
    withFile("isola.yaml", "gatewayPort: eighty\ngatewayprot: 1\n", (path) => {
      const error = failure(() =>
        load(["--blank-nodejs", "-1", "--colour", "stray", "--data"], {
          ISOLA_CONFIG: path,
          ISOLA_CONTROL_PORT: "70000",
          ISOLA_GATEWAY_PROT: "1",
          ISOLA_URL: "http://127.0.0.1:1",
          ISOLA_API_KEY: "isola_x",
        }),
      );
      const paths = error.details.map((detail) => detail.path);
      assert.deepEqual(
        paths.sort(),
        [
          "--blank-nodejs",
          "--colour",
          "--data",
          "ISOLA_CONTROL_PORT",
          "ISOLA_GATEWAY_PROT",
          `${path}: gatewayPort`,
          `${path}: gatewayprot`,
          "stray",
        ].sort(),
      );
      for (const path of paths) assert.ok(error.message.includes(path));
      assert.match(error.message, /ISOLA_GATEWAY_PROT: .*perhaps ISOLA_GATEWAY_PORT/);
    });
  });

  test("refuse each value that is out of bounds or of another shape", () => {
    const wrong: [string, string][] = [
      ["ISOLA_GATEWAY_PORT", "65536"],
      ["ISOLA_GATEWAY_PORT", "8080.5"],
      ["ISOLA_GATEWAY_PORT", "0x10"],
      ["ISOLA_GATEWAY_PORT", ""],
      ["ISOLA_GATEWAY_HOST", "127.0.0.1:80"],
      ["ISOLA_GATEWAY_HOST", "a b"],
      ["ISOLA_PUBLIC_URL", "ftp://a.example"],
      ["ISOLA_PUBLIC_URL", "https://a.example/?q=1"],
      ["ISOLA_PUBLIC_URL", "a.example"],
      ["ISOLA_ACCEPT_NO_ISOLATION", "yes"],
      ["ISOLA_LOG_LEVEL", "loud"],
      ["ISOLA_ALLOWED_HOSTS", "a.example,,b"],
      ["ISOLA_QUEUE_LENGTH_MAX", "0"],
      ["ISOLA_PYTHON", ""],
      ["ISOLA_DOCKER_HOST", "docker.sock"],
      ["ISOLA_DOCKER_HOST", "ssh://there"],
      ["ISOLA_DOCKER_BASE_NODEJS", "Node 26"],
      ["ISOLA_DOCKER_BASE_PYTHON", "--privileged"],
    ];
    for (const [variable, value] of wrong) {
      const error = failure(() => load([], { [variable]: value }));
      assert.equal(error.details[0]?.path, variable, `${variable}=${value}`);
    }
  });

  test("accept switches, lists and URLs in their usual spellings", () => {
    const argv = ["--accept-no-isolation", "--allowed-hosts=a.example, b.example"];
    const config = load(argv, { ISOLA_PUBLIC_URL: "https://fn.example/base/" });
    assert.equal(config.acceptNoIsolation, true);
    assert.deepEqual(config.allowedHosts, ["a.example", "b.example"]);
    assert.equal(config.publicUrl, "https://fn.example/base");
    assert.equal(load(["--accept-no-isolation=false"]).acceptNoIsolation, false);
  });

  test("find the Docker Engine where DOCKER_HOST says, unless they say themselves", () => {
    assert.equal(load([]).dockerHost, "unix:///var/run/docker.sock");
    assert.equal(load([], { DOCKER_HOST: "" }).dockerHost, "unix:///var/run/docker.sock");
    assert.equal(load([], { DOCKER_HOST: "tcp://a.example:1" }).dockerHost, "tcp://a.example:1");
    const both = { DOCKER_HOST: "tcp://a.example:1", ISOLA_DOCKER_HOST: "unix:///b.sock" };
    assert.equal(load([], both).dockerHost, "unix:///b.sock");
    const digest = `registry.example:5000/team/node:26@sha256:${"0".repeat(64)}`;
    assert.equal(load([], { ISOLA_DOCKER_BASE_NODEJS: digest }).dockerBaseNodejs, digest);
    assert.equal(load([]).dockerBasePython, null);
  });

  test("take what OpenTelemetry's variables say, unless a file or they themselves say otherwise", () => {
    const standard = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20abc=, x-tenant=7",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
      OTEL_SERVICE_NAME: "shop",
    };
    const traces = ({ tracesEndpoint, tracesHeaders, tracesRatio, tracesServiceName }: Config) => [
      ...[tracesEndpoint, tracesHeaders, tracesRatio, tracesServiceName],
    ];
    assert.deepEqual(traces(load()), [null, {}, 0.01, "isola"]);
    const headers = { authorization: "Basic abc=", "x-tenant": "7" };
    assert.deepEqual(traces(load([], standard)), ["http://collector:4318", headers, 0.25, "shop"]);
    assert.deepEqual(traces(load([], { OTEL_SERVICE_NAME: "", OTEL_TRACES_SAMPLER_ARG: "" })), [
      ...[null, {}, 0.01, "isola"],
    ]);
    const text = "tracesRatio: 1\ntracesHeaders: { x-key: a b }\n";
    withFile("isola.yaml", text, (path) => {
      const env = { ...standard, ISOLA_CONFIG: path, ISOLA_TRACES_SERVICE_NAME: "own" };
      assert.deepEqual(traces(load([], env)), [
        ...["http://collector:4318", { "x-key": "a b" }, 1, "own"],
      ]);
    });
    const wrong = failure(() => load([], { OTEL_TRACES_SAMPLER_ARG: "2" }));
    assert.equal(wrong.details[0]?.path, "OTEL_TRACES_SAMPLER_ARG");
  });

  test("that are secret are not shown where they are wrong", () => {
    for (const given of ["a-secret", "a b=secret", "x=%zzsecret", "x=secret\u0001", "=secret"]) {
      const { message, details } = failure(() => load([], { ISOLA_TRACES_HEADERS: given }));
      assert.equal(details[0]?.path, "ISOLA_TRACES_HEADERS");
      assert.ok(!message.includes(given), message);
    }
    withFile("isola.yaml", "tracesHeaders: { x: [hidden] }\n", (path) => {
      assert.ok(!failure(() => load(["--config", path])).message.includes("hidden"));
    });
  });

  test("file that is missing, broken or no mapping is refused in one line", () => {
    assert.match(failure(() => load(["--config", "nope.yaml"])).message, /nope\.yaml.*ENOENT/);
    for (const text of ["a: [", "- 1\n- 2\n", "just text", "a: 1\na: 2\n"]) {
      withFile("isola.yaml", text, (path) => {
        const { message } = failure(() => load(["--config", path]));
        assert.ok(message.includes(path) && !message.includes("\n"), message);
      });
    }
    withFile("isola.yaml", "# nothing yet\n", (path) => {
      assert.equal(load(["--config", path]).gatewayPort, 8080);
    });
  });

  test("take the ports that were opened, and the public URL follows unless it was given", () => {
    const derived = withPorts(load(["--gateway-port", "0"]), { gatewayPort: 4711 });
    assert.equal(derived.publicUrl, "http://127.0.0.1:4711");
    const given = load(["--gateway-port", "0", "--public-url", "https://fn.example"]);
    assert.equal(withPorts(given, { gatewayPort: 4711 }).publicUrl, "https://fn.example");
    assert.ok(Object.isFrozen(derived));
  });

  test("are all described with flag, variable, default and help", () => {
    const rows = describeSettings();
    assert.deepEqual(
      rows.map((row) => row.name),
      settingNames,
    );
    const memory = rows.find((row) => row.name === "memoryBudgetMiB");
    assert.equal(memory?.flag, "--memory-budget-mib");
    assert.equal(memory?.variable, "ISOLA_MEMORY_BUDGET_MIB");
    for (const row of rows) assert.ok(row.help && row.default && row.expected, row.name);
  });

  test("give URLs that a caller on this machine can use", () => {
    assert.equal(urlOf("0.0.0.0", 80), "http://127.0.0.1:80");
    assert.equal(urlOf("::", 80), "http://[::1]:80");
    assert.equal(urlOf("isola.example", 80), "http://isola.example:80");
  });

  test("name a runtime of the engine as engines do, and no path", () => {
    assert.equal(load().gvisorRuntime, null);
    assert.equal(load(["--gvisor-runtime", "runsc-strict.2"]).gvisorRuntime, "runsc-strict.2");
    for (const given of ["", "/usr/bin/runsc", "-x"])
      assert.match(failure(() => load([`--gvisor-runtime=${given}`])).message, /docker info/);
  });
});

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TestServer } from "../harness.ts";
import { honoCode, honoPackage } from "./packages.ts";

const server = new TestServer();

before(async () => {
  await server.start();
});

after(async () => {
  await server.dispose();
});

async function buildsOf(name: string) {
  return (await server.api("GET", `/api/v1/functions/${name}/builds`)).json.items;
}

const flask = {
  "app.py":
    "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef hello():\n    return 'from flask'\n",
  "requirements.txt": "flask==3.0.3\n",
};

describe("dependencies", () => {
  test("of npm are installed from the lockfile, and shared by functions with the same one", async () => {
    const first = await server.deploy("js", { ...honoPackage, "index.mjs": honoCode });
    assert.equal(first.layer.place, "beside");
    assert.equal((await server.call("/js")).text, "from hono");
    const second = await server.deploy("js-too", {
      ...honoPackage,
      "index.mjs": `${honoCode}// more`,
    });
    assert.deepEqual(second.layer, first.layer);
    assert.equal((await server.call("/js-too")).text, "from hono");
    const [[ran], [cached]] = [await buildsOf("js"), await buildsOf("js-too")];
    assert.deepEqual(
      [ran.state, ran.isCached, cached.state, cached.isCached],
      ["ok", false, "ok", true],
    );
    assert.match(ran.output.join("\n"), /added 1 package/);
  });

  test("of pip are installed where Python finds them, compiled", async () => {
    const made = await server.deploy("py", flask, { runtime: "python", handler: "app.app" });
    assert.equal(made.layer.place, "beside");
    assert.equal((await server.call("/py")).text, "from flask");
    const code =
      "import flask, os\ndef handler(event, context):\n    return [flask.__file__, os.path.basename(flask.__cached__)]\n";
    await server.api("PUT", "/api/v1/functions/py/code", { files: { ...flask, "app.py": code } });
    const asHandler = await server.api("PATCH", "/api/v1/functions/py", { handler: "app.handler" });
    assert.deepEqual(asHandler.json.layer, made.layer);
    const { json } = await server.call("/py");
    assert.deepEqual(json, [
      "/var/task/.isola/python/flask/__init__.py",
      "__init__.cpython-311.pyc",
    ]);
  });

  test("of a pyproject.toml are installed, native wheels among them", async () => {
    const toml = '[project]\nname = "x"\nversion = "1"\ndependencies = ["markupsafe==3.0.2"]\n';
    const code =
      "import markupsafe._speedups as s\ndef handler(event, context):\n    return s.__file__[-3:]\n";
    await server.deploy(
      "native",
      { "pyproject.toml": toml, "app.py": code },
      { runtime: "python" },
    );
    assert.equal((await server.call("/native")).text, ".so");
  });

  test("without a wheel are built from source where the function allows it, and the refusal says so", async () => {
    const files = {
      "requirements.txt": "-r more.txt\n",
      "more.txt": "docopt==0.6.2\n",
      "app.py": "import docopt\ndef handler(event, context):\n    return docopt.__version__\n",
    };
    const body = { name: "source", runtime: "python", code: { files } };
    const refused = await server.api("POST", "/api/v1/functions", body);
    assert.equal(refused.status, 422);
    assert.match(refused.json.error.message, /build\.scripts allows builds from source/);
    await server.deploy("source", files, { runtime: "python", build: { scripts: true } });
    assert.equal((await server.call("/source")).text, "0.6.2");
  });

  test("leave the code as it was uploaded, and come with a rollback", async () => {
    const { json } = await server.api("GET", "/api/v1/functions/js/revisions");
    const { layer } = json.items[0];
    await server.api("PUT", "/api/v1/functions/js/code", {
      files: { "index.mjs": "export const handler = () => 'alone';" },
    });
    assert.equal((await server.call("/js")).text, "alone");
    const back = await server.api("POST", "/api/v1/functions/js/rollback", { revision: 1 });
    assert.deepEqual(back.json.layer, layer);
    assert.equal((await server.call("/js")).text, "from hono");
    const tar = await server.api("GET", "/api/v1/functions/js/code");
    assert.ok(tar.text.includes("package-lock.json"));
    assert.ok(!tar.text.includes("node_modules/hono/"));
  });

  test("are left alone where the function says so, until it says otherwise", async () => {
    const settings = { build: { dependencies: "none" } };
    const made = await server.deploy("alone", { ...honoPackage, "index.mjs": honoCode }, settings);
    assert.equal(made.layer, null);
    assert.equal((await server.call("/alone")).status, 502);
    const built = await server.api("PATCH", "/api/v1/functions/alone", { build: {} });
    assert.equal(built.json.layer.place, "beside");
    assert.equal((await server.call("/alone")).text, "from hono");
  });
});

describe("a bundle", () => {
  test("is one file of TypeScript and its dependencies, beside the files that are no source", async () => {
    const code = `${honoCode.replace("'from hono'", "readFileSync('words.txt', 'utf8')")}`;
    const files = {
      ...honoPackage,
      "src/index.ts": `import { readFileSync } from "node:fs";\nconst n: number = 1;\nvoid n;\n${code}`,
      "words.txt": "from a file",
    };
    const settings = { handler: "src/index.default", build: { bundle: true } };
    const { layer } = await server.deploy("bundled", files, settings);
    assert.equal(layer.place, "instead");
    assert.equal((await server.call("/bundled")).text, "from a file");
  });

  test("fails with the places of its sources", async () => {
    const files = {
      "src/index.ts": `import { fail } from "./lib";\n\nenum Kind { bad }\nexport const handler = async () => fail(Kind.bad);\n`,
      "src/lib.ts": `export function fail(kind: number): never {\n  throw new RangeError(String(kind));\n}\n`,
    };
    const settings = { handler: "src/index.handler", build: { bundle: true } };
    await server.deploy("mapped", files, settings);
    const url = "/api/v1/functions/mapped/invocations";
    const { stack } = (await server.api("POST", url, { event: 1 })).json.error;
    assert.match(stack, /at fail \(file:\/\/\/var\/task\/src\/lib\.ts:2:9\)/);
    assert.match(stack, /at handler \(file:\/\/\/var\/task\/src\/index\.ts:4:36\)/);
  });

  test("of what cannot be bundled fails with the words of the bundler", async () => {
    const files = {
      "index.ts": "import { x } from './missing.ts';\nexport const handler = () => x;\n",
    };
    const body = { name: "unbundled", runtime: "nodejs", code: { files }, build: { bundle: true } };
    const { status, json } = await server.api("POST", "/api/v1/functions", body);
    assert.equal(status, 422);
    assert.match(json.error.details[0].given, /Could not resolve "\.\/missing\.ts"/);
  });

  test("is refused for Python", async () => {
    const body = {
      name: "p",
      runtime: "python",
      code: { files: { "app.py": "" } },
      build: { bundle: true },
    };
    const { status, json } = await server.api("POST", "/api/v1/functions", body);
    assert.equal(status, 400);
    assert.equal(json.error.details[0].path, "build.bundle");
  });
});

describe("a build that fails", () => {
  test("makes no function and no revision; why is told and kept", async () => {
    const files = { ...flask, "requirements.txt": "flask==99.0\n" };
    const body = { name: "broken", runtime: "python", code: { files } };
    const created = await server.api("POST", "/api/v1/functions", body);
    assert.equal(created.status, 422);
    assert.equal(created.json.error.code, "build_failed");
    assert.match(
      created.json.error.details[0].given,
      /No matching distribution found for flask==99\.0/,
    );
    assert.equal((await server.api("GET", "/api/v1/functions/broken")).status, 404);
    const [kept] = await buildsOf("broken");
    assert.deepEqual([kept.state, kept.message], ["failed", created.json.error.message]);
    assert.match(kept.output.join("\n"), /No matching distribution/);
    const put = await server.api("PUT", "/api/v1/functions/py/code", { files });
    assert.equal(put.status, 422);
    const { json } = await server.api("GET", "/api/v1/functions/py");
    assert.equal(json.liveRevision, json.latestRevision);
    assert.equal((await server.api("GET", "/api/v1/functions/nothing-of-it/builds")).status, 404);
  });

  test("names the registry that it may not reach", async () => {
    const files = {
      ...flask,
      "requirements.txt": "--index-url https://example.com/simple\nflask\n",
    };
    const body = { name: "elsewhere", runtime: "python", code: { files } };
    const { json } = await server.api("POST", "/api/v1/functions", body);
    assert.match(json.error.details[0].given, /example\.com:443 is not one of the registries/);
  });
});

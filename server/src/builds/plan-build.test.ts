import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { laterSettings } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import { planBuild } from "./plan-build.ts";
import { projectDependencies } from "./project-dependencies.ts";

const mirrors = { npmRegistry: null, pipIndexUrl: null };

function plan(
  runtime: string,
  files: Record<string, string>,
  build: object = {},
  handler = "index.handler",
) {
  const sources = { paths: Object.keys(files), text: (name: string) => files[name] ?? null };
  const settings = { runtime, handler, build: { ...laterSettings.build, ...build } };
  return planBuild(sources, settings, mirrors);
}

function refused(words: RegExp) {
  return (error: unknown) =>
    error instanceof IsolaError && error.code === "invalid_package" && words.test(error.message);
}

const manifest = JSON.stringify({ dependencies: { hono: "4.6.14" } });
const lock = JSON.stringify({ packages: { "node_modules/hono": { version: "4.6.14" } } });
const npm = { "package.json": manifest, "package-lock.json": lock };

describe("a package of JavaScript", () => {
  test("with dependencies and npm's lockfile is installed from these two files alone", () => {
    const { only, order, place, prefix } = plan("nodejs26", { ...npm, "index.mjs": "" }) ?? {};
    assert.deepEqual(only, ["package.json", "package-lock.json", ".npmrc"]);
    assert.deepEqual(order, { install: true, scripts: false, registry: null, bundle: null });
    assert.deepEqual([place, prefix], ["beside", "node_modules/"]);
  });

  test("that brings node_modules, names no dependencies or asks for none is taken as it is", () => {
    assert.equal(plan("nodejs26", { ...npm, "node_modules/hono/index.js": "" }), null);
    assert.equal(
      plan("nodejs26", { "package.json": '{"type":"module","devDependencies":{"a":"1"}}' }),
      null,
    );
    assert.equal(plan("nodejs26", { "index.mjs": "", "requirements.txt": "flask" }), null);
    assert.equal(plan("nodejs26", npm, { dependencies: "none" }), null);
    assert.equal(plan("nodejs26", { "package.json": manifest }, { dependencies: "none" }), null);
  });

  test("with dependencies and no lockfile of npm's is refused with what to do", () => {
    const words =
      /names dependencies \(hono\).*npm install --package-lock-only.*build\.dependencies/;
    assert.throws(() => plan("nodejs26", { "package.json": manifest }), refused(words));
    const yarn = { "package.json": manifest, "yarn.lock": "" };
    assert.throws(
      () => plan("nodejs26", yarn),
      refused(/yarn\.lock, and npm's lockfile is needed/),
    );
    assert.throws(() => plan("nodejs26", { "package.json": "{" }), refused(/not JSON/));
  });

  test("is given whole to its build where files of its own are part of what is installed", () => {
    const linked = {
      ...npm,
      "package-lock.json": '{"packages":{"node_modules/a":{"link": true}}}',
    };
    const local = {
      ...npm,
      "package-lock.json": '{"packages":{"a":{"resolved":"file:lib/a.tgz"}}}',
    };
    const workspaces = { ...npm, "package.json": '{"workspaces":["a"],"dependencies":{"a":"1"}}' };
    const scripted = {
      ...npm,
      "package.json": '{"scripts":{"postinstall":"x"},"dependencies":{"a":"1"}}',
    };
    for (const files of [linked, local, workspaces])
      assert.equal(plan("nodejs26", files)?.only, null);
    assert.notEqual(plan("nodejs26", scripted)?.only, null);
    assert.equal(plan("nodejs26", scripted, { scripts: true })?.only, null);
  });

  test("is bundled from the file that its handler names, with or without dependencies", () => {
    const asked = plan(
      "nodejs26",
      { ...npm, "src/app.ts": "" },
      { bundle: true },
      "src/app.main.run",
    );
    assert.deepEqual(asked?.order, {
      install: true,
      scripts: false,
      registry: null,
      bundle: "src/app",
    });
    assert.deepEqual([asked?.place, asked?.only], ["instead", null]);
    assert.equal(plan("nodejs26", { "index.ts": "" }, { bundle: true })?.order.install, false);
  });
});

describe("a package of Python", () => {
  test("with requirements is installed from that file alone, whatever comments and options it has", () => {
    const lines = [
      "# pinned",
      "flask==3.0.3  # web",
      "uvicorn[standard]>=0.30 ; python_version > '3.8'",
    ];
    const more = [
      "--index-url https://example.org/simple",
      "pillow==11.0.0 \\",
      "  --hash=sha256:aa/bb",
    ];
    const url = "a @ https://example.org/a-1.0-py3-none-any.whl";
    const text = [...lines, ...more, url].join("\n");
    const { only, order, prefix } = plan("python3.11", { "requirements.txt": text }) ?? {};
    assert.deepEqual(only, ["requirements.txt"]);
    assert.deepEqual(order, { requirements: "requirements.txt", scripts: false, index: null });
    assert.equal(prefix, ".isola/python/");
  });

  test("is given whole to its build where the requirements name files of it", () => {
    const scripts = { scripts: true };
    for (const line of [
      "-r more.txt",
      "-c limits.txt",
      "--pre -r more.txt",
      "-e .",
      ".",
      "./lib",
      "wheels/a-1.0.whl",
      "a.whl",
      "a @ file:///x",
    ])
      assert.equal(plan("python3.11", { "requirements.txt": line }, scripts)?.only, null, line);
    const asked = plan("python3.11", { "requirements.txt": "--no-binary :all:\na" }, scripts);
    assert.deepEqual(asked?.only, ["requirements.txt"]);
  });

  test("without requirements uses the dependencies of its project", () => {
    const toml = '[project]\nname = "x"\ndependencies = ["flask>=3", "uvicorn[standard]"]\n';
    const asked = plan("python3.11", { "pyproject.toml": toml, "requirements.txt": "# none\n\n" });
    assert.deepEqual(asked?.order.requirements, ["flask>=3", "uvicorn[standard]"]);
    assert.deepEqual(asked?.only, []);
  });

  test("that brings its packages, needs none or asks for none is taken as it is", () => {
    const own = {
      "requirements.txt": "flask",
      "flask/__init__.py": "",
      "flask-3.0.3.dist-info/RECORD": "",
    };
    assert.equal(plan("python3.11", own), null);
    assert.equal(plan("python3.11", { "app.py": "", "package.json": manifest }), null);
    assert.equal(plan("python3.11", { "pyproject.toml": "[tool.ruff]\n" }), null);
    assert.equal(
      plan("python3.11", { "requirements.txt": "flask" }, { dependencies: "none" }),
      null,
    );
  });

  test("with a folder of the place where dependencies go is refused", () => {
    const files = { "requirements.txt": "flask", ".isola/python/flask.py": "" };
    assert.throws(() => plan("python3.11", files), refused(/folder \.isola/));
  });
});

describe("a package of Python whose dependencies may not be built from source", () => {
  const sdist = "https://files.example.org/foo-1.0.tar.gz";
  const builds = [
    `foo @ ${sdist}`,
    `foo[bar]@${sdist}#egg=foo.whl`,
    `foo @ ${sdist}?x=.whl ; os_name == "posix"`,
    `foo @ \\\n ${sdist}`,
    ...[sdist, "foo @ file:///x/foo.zip", "foo @ file:foo", "foo @ https://example.org/foo"],
    ...["git+https://example.org/foo.whl", "foo @ git+ssh://git@example.org/foo.whl", "foo @ lib"],
    ...[".", "./lib", "lib/foo-1.0.tar.gz", "foo-1.0.zip", "/tmp/x", ".[web]"],
    ...["-e .", "-elib", "--editable=lib", "--editable lib", "--edit lib"],
    ...["--no-binary :all:", "--no-binary=foo", "--no-b :all:", "--no-bin\\\nary=:all:"],
    ...["--pre --no-binary :all:", '--pre "--no-binary" foo', "-i https://x.org --no-binary a"],
    ...["--only-binary :none:", "--only-binary=a,:none:", "--only-b :none:"],
    ...["foo --global-option=x", "foo --config-settings=a=b", "foo --hash=sha256:aa --glob x"],
    ...["foo @ ${HOME}/foo.whl", "-r https://example.org/more.txt", "-c file:///tmp/x.txt"],
    ...["-r ../more.txt", "-r /tmp/more.txt", "-r missing.txt", "--unheard-of"],
    ...["flask\u000c--no-binary=:all:", "flask\u2028--no-binary=:all:"],
    ...["\uFFFD\uFFFDf\u0000", "# coding: utf-7\nflask", "#\n# coding=utf-16 coding=utf-8\n-i x"],
  ];

  test("is refused where its requirements ask for that, with the line and what was expected", () => {
    for (const text of builds) {
      const files = { "requirements.txt": `flask\n${text}\n` };
      const own = /coding/.test(text) ? { "requirements.txt": text } : files;
      assert.throws(() => plan("python3.11", own), refused(/expected .*, got .*scripts/), text);
    }
    const files = { "requirements.txt": `six\nfoo @ ${sdist} # comment` };
    assert.throws(
      () => plan("python3.11", files),
      refused(/ends in \.whl, got "foo @ https:\/\/files\.example\.org\/foo-1\.0\.tar\.gz"/),
    );
  });

  test("is refused where files that they include ask for that", () => {
    for (const text of ["--no-binary :all:", `foo @ ${sdist}`, "-r worse.txt"])
      for (const include of ["-r a/more.in", "-ra/more.in", "--constraint=a/more.in"]) {
        const files = {
          "requirements.txt": include,
          "a/more.in": text,
          "a/worse.txt": "--only-binary :none:\n-r ../requirements.txt",
        };
        assert.throws(
          () => plan("python3.11", files),
          refused(/^a\/(?:more\.in|worse\.txt) should/),
        );
      }
  });

  test("is refused where its pyproject.toml does", () => {
    for (const wanted of [`foo @ ${sdist}`, "foo @ git+https://x.org/foo.whl", "./lib"]) {
      const toml = `[project]\ndependencies = ["six", ${JSON.stringify(wanted)}]\n`;
      const make = (build: object) => plan("python3.11", { "pyproject.toml": toml }, build);
      assert.throws(() => make({}), refused(/^pyproject\.toml should/), wanted);
      assert.ok(make({ scripts: true }));
    }
  });

  test("is installed where wheels are all that they ask for", () => {
    const lines = [
      "\uFEFF# -*- coding: utf-8 -*-",
      "-i https://example.org/simple --extra-index-url=https://example.org/more",
      ...[
        "--pre",
        "--only-binary :all:",
        "-f wheels",
        "-r more.txt",
        "-climits.txt",
        "a_b.c>=1,<2",
      ],
      'd[e,f] ~= 1.0 ; python_version < "3.9" and sys_platform == "a/b"',
      "g==1 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb",
      ...["h @ https://example.org/h-1-py3-none-any.whl#sha256=aa", "./wheels/i-1.whl[x]"],
      "https://example.org/j-1-py3-none-any.whl ; os_name == 'posix'",
    ];
    const files = {
      "requirements.txt": lines.join("\r\n"),
      "more.txt": "six",
      "limits.txt": "six<2",
    };
    assert.equal(plan("python3.11", files)?.only, null);
  });
});

describe("dependencies of a pyproject.toml", () => {
  test("are read as TOML writes lists of texts", () => {
    const toml = `[build-system]\ndependencies = ["wrong"]\n[project] # own\nname = "x"\ndependencies = [ # these\n  'a>=1',\n  "b[c]==2; os_name == \\"posix\\"", # ]\n  "d",\n]\n[project.optional-dependencies]\ndependencies = ["wrong"]\n`;
    assert.deepEqual(projectDependencies(toml), ["a>=1", 'b[c]==2; os_name == "posix"', "d"]);
    assert.deepEqual(projectDependencies("[project]\ndependencies=[]"), []);
    assert.deepEqual(projectDependencies("dependencies = ['x']"), []);
  });

  test("that are something else are refused", () => {
    for (const value of ["'flask'", "[1]", "[['a']]", "['a", '["a']) {
      const read = () => projectDependencies(`[project]\ndependencies = ${value}\n`);
      assert.throws(read, refused(/list of texts/), value);
    }
  });
});

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { runIsola, workplace } from "../../test/run-isola.ts";

describe("isola init", () => {
  test("lists what there is to begin with", async (t) => {
    const { isola } = await workplace(t);
    const { stdout } = await isola("init", "--list");
    assert.match(stdout, /^JavaScript\n  hello-js +\S.*\n[^]*\nTypeScript\n[^]*\nPython\n/);
    const { templates } = JSON.parse((await isola("init", "--list", "--json")).stdout);
    assert.ok(templates.length > 20);
    const { description, ...hello } = templates[0];
    assert.ok(description.length > 0);
    assert.deepEqual(hello, {
      ...{ name: "hello-js", title: "Hello", language: "JavaScript", kind: "hello" },
      ...{ runtime: "nodejs", handler: "index.handler" },
    });
  });

  test("gives the function the name that is said, or that of the folder, and the files no other", async (t) => {
    const { isola, dir, api } = await workplace(t);
    const { stdout, exitCode } = await isola("init", "shop", "--template", "hono-ts");
    assert.equal(exitCode, 0);
    assert.match(stdout, /^ {2}isola deploy shop\n {2}curl 'http:\/\/127\.0\.0\.1:8080\/shop\//m);
    const read = (path: string) => readFileSync(join(dir, path), "utf8");
    const first = `# yaml-language-server: $schema=${api.url}/isola.schema.json\n`;
    assert.ok(read("shop/isola.yaml").startsWith(first));
    for (const name of readdirSync(join(dir, "shop")))
      assert.doesNotMatch(read(`shop/${name}`), /hono-ts/, name);
    await isola("init", "a/B c", "--template", "hello-py", "--name", "null");
    assert.deepEqual(Object.keys(parse(read("a/B c/isola.yaml")).functions), ["null"]);
    const json = JSON.parse((await isola("init", "--template", "hello-py", "--json")).stdout);
    assert.equal(json.folder, join(dir, "hello-py"));
    assert.deepEqual([...json.files].sort(), readdirSync(json.folder).sort());
  });

  test("goes on with the schedule of a function that has one", async (t) => {
    const { isola } = await workplace(t);
    for (const language of ["js", "ts", "py"]) {
      const argv = ["init", language, "--name", "job", "--template", `scheduled-${language}`];
      const { next } = JSON.parse((await isola(...argv, "--json")).stdout);
      assert.deepEqual(next, [
        `isola dev ${language}`,
        `isola deploy ${language}`,
        "isola schedules list job",
        "isola schedules run job nightly",
      ]);
    }
  });

  test("takes the folder where it is typed", async (t) => {
    const { dir, api } = await workplace(t);
    mkdirSync(join(dir, "here"));
    const env = { ISOLA_URL: api.url };
    const argv = ["init", ".", "--template", "hello-js"];
    const { exitCode, stdout } = await runIsola(argv, { env, cwd: join(dir, "here") });
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /isola deploy \.\n/);
    assert.deepEqual(
      Object.keys(parse(readFileSync(join(dir, "here/isola.yaml"), "utf8")).functions),
      ["here"],
    );
  });

  test("says what was expected of a template, a name or a folder, and writes nothing", async (t) => {
    const { isola, dir } = await workplace(t);
    for (const [argv, message] of [
      [["x", "--template", "hello"], /there is no template hello; did you mean hello-js, .*\?/],
      [
        ["x", "--template", "../examples"],
        /there is no template \.\.\/examples; `isola init --list` lists them/,
      ],
      [["x"], /nobody to ask: .*--template; `isola init --list`/],
      [["Über", "--template", "hello-js"], /folder's name is no name .*given: Über; .*--name/],
      [
        ["x", "--template", "hello-js", "--name", "a\u001b[2J"],
        /--name: expected .*given: a\\x1b\[2J/,
      ],
      [["", "--template", "hello-js"], /expected a folder, given an empty text/],
    ] as [string[], RegExp][]) {
      const { exitCode, stderr } = await isola("init", ...argv);
      assert.equal(exitCode, 2, argv.join(" "));
      assert.match(stderr, message);
    }
    assert.deepEqual(readdirSync(dir), []);
  });

  test("asks at a terminal for language, kind and name, and for a name again that cannot be one", async (t) => {
    const { dir, api } = await workplace(t);
    const env = { ISOLA_URL: api.url };
    const down = "\u001b[B";
    const keys = [
      ["Language", `${down}${down}\r`],
      ["What it is", `${down}\r`],
      ["Name of the function", "My\r"],
      ["given: My", "\u007f\u007fmy-api\r"],
    ] as const;
    const { exitCode, stdout, stderr } = await runIsola(["init"], { env, cwd: dir, keys });
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^my-api: made of json-api-py in /);
    assert.ok(existsSync(join(dir, "my-api/app.py")));
  });

  test("asks only for what is left out, and before that refuses a folder that cannot be", async (t) => {
    const { dir, api, write } = await workplace(t);
    const env = { ISOLA_URL: api.url };
    const named = ["init", "--template", "hello-ts"];
    const keys = [["Name of the function", "\r"]] as const;
    const { exitCode, stderr } = await runIsola(named, { env, cwd: dir, keys });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(readdirSync(dir), ["hello"]);
    write("full/mine.txt", "");
    const unasked = [["Language", "\r"]] as const;
    const refused = await runIsola(["init", "full"], { env, cwd: dir, keys: unasked });
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /full is not empty/);
    assert.doesNotMatch(refused.stderr, /Language/);
  });

  test("takes Ctrl-C and Ctrl-D at a question as a no, with exit code 130", async (t) => {
    const { dir, api } = await workplace(t);
    const env = { ISOLA_URL: api.url };
    for (const key of ["\u0003", "\u0004"])
      for (const keys of [
        [["Language", key]],
        [
          ["Language", "\r"],
          ["What it is", "\r"],
          ["Name of the function", key],
        ],
      ] as [string, string][][]) {
        const { exitCode, stderr } = await runIsola(["init"], { env, cwd: dir, keys });
        assert.equal(exitCode, 130);
        assert.match(stderr, /Nothing was written\n$/);
      }
    assert.deepEqual(readdirSync(dir), []);
  });
});

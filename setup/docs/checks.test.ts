import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { eventually } from "../../server/test/harness.ts";
import { blockFaults, stepsOf } from "./blocks.ts";
import { linkFaults, unreachable } from "./links.ts";
import { parsePage } from "./markdown.ts";
import { isOutput } from "./output.ts";
import { pathFaults } from "./paths.ts";
import { runPage } from "./run-page.ts";
import { apiFaults, spellingFaults } from "./spellings.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A repository of these files. */
function repository(t: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "isola-planted-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe("links", () => {
  const index = "# One\n[to two](two.md#a-b-c) ![x](pictures/x.png) [c](#one)\n";
  test("that lead to files and headings are no fault", (t) => {
    const files = {
      "docs/README.md": index,
      "docs/two.md": "## A `b` c!\n",
      "docs/pictures/x.png": "",
    };
    const root = repository(t, files);
    const pages = ["docs/README.md", "docs/two.md"].map((path) =>
      parsePage(path, files[path as "docs/two.md"]),
    );
    assert.deepEqual(linkFaults(pages, root), []);
    assert.deepEqual(unreachable(pages, root), []);
  });
  test("that lead to no file, no heading or out of the repository are told with their line", (t) => {
    const text =
      "[a](gone.md)\n\n[b](#nowhere)\n![p](no.png)\n[c](../../etc/passwd)\n[e](%zz.md) [f](%ff.md)\n`[d](x.md)`\n";
    const root = repository(t, { "docs/README.md": text, "docs/lonely.md": "" });
    const pages = [parsePage("docs/README.md", text), parsePage("docs/lonely.md", "")];
    assert.deepEqual(
      linkFaults(pages, root).map((fault) => fault.split(": ")[0]),
      [1, 3, 4, 5, 6, 6].map((line) => `docs/README.md:${line}`),
    );
    assert.deepEqual(unreachable(pages, root), [
      "docs/lonely.md:1: no chain of links leads here from docs/README.md",
    ]);
  });
  test("paths between backticks exist, also where they hold wildcards", (t) => {
    const text =
      "`docs/*.md` `docs/<name>.md` `docs/page.md:3` `a/b.md`\n`docs/gone.md` `docs/no*.md`\n\nsee docs/away.md\n";
    const root = repository(t, { "docs/page.md": text });
    assert.deepEqual(pathFaults([parsePage("docs/page.md", text)], root), [
      "docs/page.md:1: no such page: docs/gone.md",
      "docs/page.md:4: no such page: docs/away.md",
      "docs/page.md:2: no such file or folder: docs/gone.md",
      "docs/page.md:2: no such file or folder: docs/no*.md",
    ]);
  });
});

describe("blocks", () => {
  const faultsOf = (text: string) => blockFaults(parsePage("p.md", text), import.meta.dirname);
  const wrong: Record<string, string> = {
    "that are never closed": "```sh\nls\n",
    "without a language": "```\nls\n```\n",
    "of commands that are indented": "Do\n\n    npm start\n",
    "of commands as text": "```text\nnpm start\n```\n",
    "of another name for a shell": "```bash\nls\n```\n",
    "not run without a reason": "```sh no-run\nls\n```\n",
    "not run for a test that does not exist": "```sh no-run: see setup/gone.test.ts\nls\n```\n",
    "of output behind nothing": "```output\nx\n```\n",
    "of output behind commands that are not run":
      "```sh no-run: needs a cluster\nls\n```\n```output\nx\n```\n",
    "of output far from its commands":
      "```sh\nls\n```\nThis is long.\n\nAnd\n\n```output\nx\n```\n",
    "of a file that the reader is not told": "Write:\n```js file=a/index.mjs\nexport {}\n```\n",
    "of a file elsewhere": "`../x.mjs`\n```js file=../x.mjs\n```\n",
    "with a mark that means nothing": "```js whatever\nx\n```\n",
  };
  for (const [what, text] of Object.entries(wrong)) {
    test(`${what} are a fault`, () => assert.equal(faultsOf(text).length, 1));
  }
  test("that say what they are are none", () => {
    const text =
      "```sh\nls\n```\n```output\n...\n```\n```sh exit=22\nx\n```\n```sh no-run: needs a cluster\nx\n```\n```js file=a.mjs\n// a.mjs\n```\n```text\nisola | started\n```\n";
    assert.deepEqual(faultsOf(text), []);
    assert.equal(stepsOf(parsePage("p.md", text)).length, 3);
  });
});

describe("spellings", () => {
  const known: Vocabulary = {
    commands: new Map([
      ["deploy", new Set(["--yes"])],
      ["projects", new Set(["--driver", "--json"])],
      ["projects create", new Set(["--driver"])],
      ["env", new Set()],
      ["env set", new Set()],
    ]),
    openGroups: new Set(["env"]),
    serverFlags: new Set(["--data"]),
    variables: new Set(["ISOLA_DATA"]),
    errorCodes: new Set(["function_timeout"]),
    identifiers: new Set(["timeoutMs", "function_timeout"]),
  };
  const others = { flags: new Set(["--theirs"]), words: new Set(["theirWord"]) };
  const faultsOf = (text: string) => spellingFaults(parsePage("p.md", text), known, others);
  test("that exist are no fault", () => {
    const text =
      "`isola deploy . --yes` `isola env hello` `isola env set hello A=b` `isola projects --json` `isola up --data x` `--theirs` `--yes` `theirWord` `timeoutMs` ISOLA `ISOLA_DATA` 504 `function_timeout`\n```sh\nisola deploy x --yes && isola projects create b --driver c | cat --nonsense\n```\n";
    assert.deepEqual(faultsOf(text), []);
  });
  const wrong: Record<string, string> = {
    "a command": "`isola depoly .`",
    "a command of a group": "`isola projects destroy x`",
    "a verb behind a name": "`isola env <name> set A=b`",
    "a flag": "`isola deploy . --yess`",
    "a flag of another command": "```sh\nisola deploy . --driver x\n```",
    "a flag in a line that goes on": "```sh no-run: for this test\nisola deploy \\\n  --nope\n```",
    "a flag of the server": "`npm run isola -- up --dta x`",
    "a flag alone": "`--nope`",
    "a variable": "`ISOLA_DATTA`",
    "a variable in a block": "```yaml\nISOLA_DATTA: x\n```",
    "a setting": "`timeoutMss`",
    "an error code of an answer": '```json\n{"error":{"code":"function_timeot"}}\n```',
    "an error code": "504 `function_timeot`",
    "an error code in a table": "| a | 504 | `function_timeot` |",
  };
  for (const [what, text] of Object.entries(wrong)) {
    test(`${what} that does not exist is a fault`, () =>
      assert.equal(faultsOf(`x\n${text}\n`).length > 0, true));
  }
  test("paths of the API are those that it describes", () => {
    const openApi = { paths: { "/api/v1/functions/{name}": { get: {} } } };
    const page = parsePage(
      "p.md",
      "`GET /api/v1/functions/hello` `/api/v1/functions/<name>` `/api/v1/functions/*`\n`DELETE /api/v1/functions/x` `/api/v1/fuctions`\n```sh\ncurl http://h/api/v2/functions\n```\n",
    );
    assert.deepEqual(
      apiFaults(page, openApi).map((fault) => fault.split(": ")[0]),
      ["p.md:2", "p.md:2", "p.md:4"],
    );
  });
});

describe("the output of commands", () => {
  test("is what a page shows, with ... for what differs each time", () => {
    assert.ok(isOutput("a ... c\n...\nz\n", "a b c \n1\n2\nz\n\n"));
    assert.ok(isOutput("...\nz", "z\n"));
    assert.ok(!isOutput("a\n", "a\nb\n"));
    assert.ok(!isOutput("a.c\n", "abc\n"));
  });
});

describe("a page that is run", () => {
  /** The commands need no server here. */
  async function run(t: TestContext, text: string, msMax = 20_000): Promise<string | null> {
    const root = repository(t, { "examples/x": "", "templates/x": "", "data/x": "", "f/x": "" });
    const place = {
      ...{ root, dataDir: join(root, "data"), folder: join(root, "f") },
      ...{ gatewayUrl: "http://127.0.0.1:1", apiUrl: "http://127.0.0.1:2" },
    };
    return runPage("p.md", stepsOf(parsePage("p.md", text)), place, msMax);
  }
  test("goes on in one shell, with the files that it shows", async (t) => {
    const text =
      "```sh\nx=1\n```\n```js file=a/b.mjs\n// a/b.mjs\n```\n```sh\necho $x; cat a/b.mjs; echo 127.0.0.1:8080\n```\n```output\n1\n// a/b.mjs\n127.0.0.1:8080\n```\n";
    assert.equal(await run(t, text), null);
  });
  test("is at fault where a command fails, and says what it printed", async (t) => {
    const fault = await run(t, "x\n```sh\necho before\nfalse\necho after\n```\n");
    assert.equal(fault, "p.md:2: ended with 1; it printed:\nbefore\n");
  });
  test("is at fault where a command in a pipe or a variable is missing", async (t) => {
    assert.match((await run(t, "```sh\nfalse | cat\n```\n")) ?? "", /ended with 1/);
    assert.match((await run(t, "```sh\necho $nothing\n```\n")) ?? "", /unbound/);
  });
  test("is at fault where it prints something else than it shows", async (t) => {
    const text = "```sh\necho one\n```\n```output\ntwo\n```\n```sh\necho on\n```\n";
    assert.match((await run(t, text)) ?? "", /^p\.md:4: the page shows\ntwo\n/);
  });
  test("may show commands that fail, with the code with which they do", async (t) => {
    assert.equal(await run(t, "```sh exit=3\nexit 3\n```\n```sh\ntrue\n```\n"), null);
    assert.match((await run(t, "```sh exit=3\nexit 4\n```\n")) ?? "", /ended with 4/);
    assert.match((await run(t, "```sh exit=3\ntrue\n```\n")) ?? "", /ended with 1/);
  });
  test("is ended, with all it started, where a block does not end", async (t) => {
    const file = join(tmpdir(), `isola-late-${process.pid}`);
    t.after(() => rmSync(file, { force: true }));
    const text = `\`\`\`sh\nsleep 600 & echo $! > ${file}\nwait\n\`\`\`\n`;
    const fault = await run(t, text, 1000);
    assert.match(fault ?? "", /^p\.md:1: still runs after 1000 ms/);
    await eventually("the end of what it started", async () => !isThere(file));
  });
  test("is at fault where a block leaves the shell", async (t) => {
    assert.match((await run(t, "```sh\nexit 0\n```\n```sh\nfalse\n```\n")) ?? "", /left the shell/);
  });
  test("runs no other npm scripts", async (t) => {
    assert.match((await run(t, "```sh\nnpm install left-pad\n```\n")) ?? "", /npm run isola alone/);
  });
});

/** Whether the process whose id the file holds runs, or waits only to be reaped. */
function isThere(file: string): boolean {
  const pid = readFileSync(file, "utf8").trim();
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false; // gone
  }
}

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";
import { type TestContext, describe, test } from "node:test";
import { fakeKey } from "../../test/fake-api.ts";
import { type Workplace, runIsola, workplace } from "../../test/run-isola.ts";

/** What each shell runs to complete the words of a line, the last of which is being typed, and to print what it offers. */
const shells = {
  bash: {
    argv: ["--norc", "--noprofile"],
    // As readline splits them, "=" is a word of its own.
    line: (words: string[]) => {
      const split = words.flatMap((word) => {
        const [name = "", value] = word.split("=", 2);
        return value === undefined ? [word] : [name, "=", ...(value === "" ? [] : [value])];
      });
      const list = split.map((word) => `'${word}'`).join(" ");
      return `COMP_WORDS=(${list}); COMP_CWORD=${split.length - 1}; _isola; printf '%s\\n' "\${COMPREPLY[@]}"`;
    },
  },
  zsh: {
    argv: ["-f"],
    line: (words: string[]) => {
      const list = words.map((word) => `'${word}'`).join(" ");
      // What the completion system would do with the words is its own.
      return `_describe() { local n="$@[-1]"; print -rl -- "\${(@P)n}" }; _files() { print -r -- "files $*" }; compset() { : }
words=(${list}); CURRENT=${words.length}; _isola`;
    },
  },
  fish: {
    argv: ["--no-config"],
    line: (words: string[]) => `complete -C'${words.join(" ")}'`,
  },
};

/** What is offered for each of the lines, in one run of the shell. */
async function offered(
  shell: keyof typeof shells,
  typed: readonly string[][],
  { api, dir, write }: Workplace,
): Promise<string[][]> {
  const { argv, line } = shells[shell];
  const env = { ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey };
  const { stdout: script } = await runIsola(["completion", shell], { env, cwd: dir });
  const home = { HOME: dir, XDG_CONFIG_HOME: dir, PATH: process.env.PATH, TERM: "dumb" };
  write("script", [script, ...typed.map((words) => `${line(words)}\necho END`), ""].join("\n"));
  const child = spawn(shell, [...argv, "script"], { cwd: dir, env: { ...home, ...env } });
  child.stdin.end();
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.equal(errors, "", shell);
  // The word alone: zsh and fish have what it means behind it.
  const answers = out.split("END\n").slice(0, typed.length);
  return answers.map((answer) =>
    answer
      .split("\n")
      .filter((row) => row !== "")
      .map((row) => row.split(/[\t:]/, 1)[0] as string),
  );
}

const lines: [words: string[], expected: string[]][] = [
  [["isola", "proj"], ["projects"]],
  [["isola", "projects", "cr"], ["create"]],
  [["isola", "projects", "create", "x", "--dr"], ["--driver"]],
  [["isola", "projects", "create", "x", "--driver", "gv"], ["gvisor"]],
  [["isola", "logs", "--level=wa"], ["warn"]],
  [["isola", "--json", "env", "s"], ["set"]],
  [["isola", "get", "he"], ["hello"]],
  [["isola", "env", "set", "--project", "a", "he"], ["hello"]],
  [["isola", "list", "--project", "te"], ["team-a"]],
  [["isola", "help", "proj"], ["projects"]],
  [["isola", "nope", "--x"], []],
  [["isola", "list", "--query", "x"], []],
  [["isola", "get", "hello", "he"], []],
];

for (const shell of Object.keys(shells) as (keyof typeof shells)[]) {
  const isThere = spawnSync(shell, ["--version"]).status === 0;
  const skip = isThere ? false : `there is no ${shell}: apt-get install -y ${shell}`;
  describe(`completion in ${shell}`, { skip, timeout: 120_000 }, () => {
    test("offers commands, verbs, flags, fixed values and names of the server", async (t) => {
      const place = await withNames(t);
      const answers = await offered(
        shell,
        lines.map(([words]) => words),
        place,
      );
      for (const [at, [words, expected]] of lines.entries()) {
        const begun = words.at(-1)?.split("=").at(-1) ?? "";
        // zsh narrows down what it is given by itself; fish wants the flag before the value.
        const found = answers[at]
          ?.map((word) => (shell === "fish" ? (word.split("=").at(-1) as string) : word))
          .filter((word) => word.startsWith(begun));
        assert.deepEqual(found, expected, words.join(" "));
      }
      assert.ok(place.api.projectsAsked.includes("a"), "names are those of --project");
    });

    test("offers folders where one is meant, and nothing of a server that is away", async (t) => {
      const place = await withNames(t);
      const [folders = []] = await offered(shell, [["isola", "deploy", "fo"]], place);
      const isOffered = shell === "zsh" ? /^files -\/$/ : /^folder\/?$/;
      assert.ok(
        folders.some((word) => isOffered.test(word)),
        folders.join(" "),
      );
      await place.api.close();
      assert.deepEqual(await offered(shell, [["isola", "get", ""]], place), [[]]);
    });
  });
}

async function withNames(t: TestContext): Promise<Workplace> {
  const place = await workplace(t);
  place.write("folder/index.mjs", "export const handler = () => 1;");
  const { api } = place;
  const items = [{ name: "hello" }, { name: "$(touch hacked)" }];
  api.answers["GET /api/v1/functions"] = { items, nextCursor: null };
  api.projects.set("team-a", { name: "team-a" });
  return place;
}

describe("isola completion names", () => {
  test("prints names that a shell takes as they are, and nothing where anything is wrong", async (t) => {
    const { isola, api, dir } = await withNames(t);
    assert.equal((await isola("completion", "names", "function")).stdout, "hello\n");
    const env = { ISOLA_URL: "no url", ISOLA_API_KEY: fakeKey };
    const run = (more: NodeJS.ProcessEnv) =>
      runIsola(["completion", "names", "function"], { env: { ...env, ...more }, cwd: dir });
    for (const wrong of [{}, { ISOLA_URL: api.url, ISOLA_API_KEY: "wrong" }])
      assert.deepEqual(await run(wrong), { exitCode: 0, stdout: "", stderr: "" });
    assert.equal((await isola("completion", "names", "secret")).exitCode, 2);
  });
});

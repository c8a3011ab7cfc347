import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { blockFaults } from "./blocks.ts";
import { linkFaults, unreachable } from "./links.ts";
import { pagesOf } from "./markdown.ts";
import { otherWords } from "./other-words.ts";
import { pathFaults } from "./paths.ts";
import { spellingFaults } from "./spellings.ts";
import { readVocabulary } from "./vocabulary.ts";

const root = join(import.meta.dirname, "../..");

describe("the pages of the repository", () => {
  const pages = pagesOf(root);
  const known = readVocabulary(root);
  const ours = pages.filter(({ path }) => path !== "CHANGELOG.md"); // tells of what once was

  test("lead to what exists, by every link, anchor and picture", () => {
    assert.deepEqual(linkFaults(pages, root), []);
  });
  test("are reached from docs/README.md where they are in docs/", () => {
    assert.deepEqual(unreachable(pages, root), []);
  });
  test("name files and folders that exist", () => {
    assert.deepEqual(pathFaults(ours, root), []);
  });
  test("mark each block as run or say why it is not", () => {
    assert.deepEqual(
      pages.flatMap((page) => blockFaults(page, root)),
      [],
    );
  });
  test("name commands, flags, variables, error codes and settings that exist", () => {
    assert.deepEqual(
      ours.flatMap((page) => spellingFaults(page, known, otherWords)),
      [],
    );
  });
});

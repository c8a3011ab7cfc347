import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const dist = join(import.meta.dirname, "../dist");
const assets = join(dist, "assets");
const FIRST_LOAD_BYTES_MAX = 300 * 1024;
const skip = existsSync(assets) ? false : "the console is not built: npm test builds it";

/** What a file of the console cannot do without: it names it in an import. Templates have imports of their own, of files that are none of these. */
function neededBy(file: string, known = new Set<string>()): Set<string> {
  if (known.has(file)) return known;
  known.add(file);
  if (!file.endsWith(".js")) return known;
  const text = readFileSync(join(assets, file), "utf8");
  for (const [, name = ""] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g))
    if (existsSync(join(assets, name))) neededBy(name, known);
  return known;
}

function gzippedBytes(files: Iterable<string>): number {
  let sum = statSync(join(dist, "index.html.gz")).size;
  for (const file of files) sum += statSync(join(assets, `${file}.gz`)).size;
  return sum;
}

test("the first load of any page is at most 300 KiB gzipped, charts included, without the editor", {
  skip,
}, (t) => {
  const all = readdirSync(assets).filter((file) => /\.(js|css)$/.test(file));
  const named = (part: RegExp) => all.filter((file) => part.test(file));
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const first = [...html.matchAll(/\/assets\/([^"]+\.(?:js|css))"/g)].map(([, name]) => name ?? "");
  assert.ok(first.length > 0);
  const pages = named(/-(page|tab)-[\w-]{8}\.js$/);
  assert.ok(pages.length >= 13, pages.join(" "));
  const around = named(/^function-page-.*\.js$/);
  const sizes = pages.map((page) => {
    const hasCharts = page.startsWith("overview-");
    const roots = [
      ...[...first, page, ...named(/\.css$/)],
      ...(/-tab-/.test(page) ? around : []),
      ...(hasCharts ? named(/^plot-.*\.js$/) : []),
    ];
    const files = new Set(roots.flatMap((root) => [...neededBy(root)]));
    assert.ok(![...files].some((file) => /^code-(mirror|theme)/.test(file)), `${page}: the editor`);
    return { page, bytes: gzippedBytes(files) };
  });
  const largest = sizes.toSorted((a, b) => b.bytes - a.bytes)[0];
  assert.ok(largest);
  t.diagnostic(`the largest first load is ${Math.ceil(largest.bytes / 1024)} KiB: ${largest.page}`);
  for (const { page, bytes } of sizes)
    assert.ok(bytes <= FIRST_LOAD_BYTES_MAX, `${page}: ${Math.ceil(bytes / 1024)} KiB`);
});

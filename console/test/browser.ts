import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { TestServer } from "../../server/test/harness.ts";

const executablePath = process.env.CHROMIUM_PATH;
const isCi = process.env.CI === "true";
/** Why the browser's tests do not run here; on CI they have to. */
export const skip =
  !executablePath && !isCi ? "there is no browser: apt-get install chromium" : false;

const pictures = join(import.meta.dirname, "../../.cache/console");
const WAIT_MS = 30_000;

const flags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** A whole server with the console, and a real browser. */
export interface Stand {
  server: TestServer;
  browser: Browser;
  close(): Promise<void>;
}

/** `fill`: puts something into the data folder before the server starts. */
export async function openStand(
  env: Record<string, string> = {},
  fill: (server: TestServer) => Promise<void> = async () => {},
): Promise<Stand> {
  assert(executablePath, "CHROMIUM_PATH names no browser");
  const server = new TestServer(env);
  await fill(server);
  await server.start();
  const browser = await chromium.launch({ executablePath, args: flags });
  return {
    server,
    browser,
    close: async () => {
      await browser.close();
      await server.dispose();
    },
  };
}

export interface PageOptions {
  scheme?: "light" | "dark";
  width?: number;
  isSignedIn?: boolean;
  /** Signed in with this key; left out: the one of the data folder. */
  key?: string;
  /** The test itself breaks the content policy. */
  isAttacked?: boolean;
}

/** A page in a browser profile of its own. Fails the test where the page throws, breaks its content policy, or asks another machine for something. */
export async function openPage(
  t: TestContext,
  { server, browser }: Stand,
  { scheme = "light", width = 1280, isSignedIn = true, key, isAttacked = false }: PageOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    baseURL: server.apiUrl,
    viewport: { width, height: 800 },
    colorScheme: scheme,
    reducedMotion: "reduce",
  });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const faults = watchFaults(page, server.apiUrl);
  if (!isAttacked) t.after(() => assert.deepEqual(faults, []));
  if (isSignedIn) await signIn(context, page, { server, key });
  return page;
}

function watchFaults(page: Page, ownUrl: string): string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`the page threw: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    // Answers with an error status are the test's own; everything else is the page's.
    if (message.type() === "error" && !/^Failed to load resource|ERR_CONNECTION/.test(text))
      faults.push(`console: ${text}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(ownUrl) && !/^(data|blob):/.test(url)) faults.push(`asked for ${url}`);
  });
  return faults;
}

async function signIn(
  context: BrowserContext,
  page: Page,
  { server, key = server.adminKey }: { server: TestServer; key?: string | undefined },
): Promise<void> {
  const authorization = `Bearer ${key}`;
  const made = await server.api("POST", "/api/v1/session/links", undefined, { authorization });
  await page.goto(made.json.path);
  await page.getByRole("navigation", { name: "Pages" }).waitFor({ state: "attached" });
  const cookies = await context.cookies();
  assert.equal(cookies.length, 1, "the session's cookie is kept");
}

/** Axe has nothing to say of the page. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  const found = violations.map(({ id, nodes }) => {
    const first = nodes[0];
    return `${id} (${nodes.length}): ${first?.target.join(" ")}: ${first?.failureSummary?.replaceAll("\n", " ")}`;
  });
  assert.equal(found.join("\n"), "", what);
}

/** Nothing that stands in for what is still loaded is left, and charts are drawn. */
export async function settled(page: Page): Promise<void> {
  await page.locator(".mantine-Skeleton-root").first().waitFor({ state: "detached" });
  await page.waitForTimeout(150);
}

/** Nothing is cut off at the side of a telephone. */
export async function assertFits(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 800 });
  await page.waitForTimeout(150);
  const found = await page.evaluate<number>("document.documentElement.scrollWidth");
  assert.ok(found <= width, `${page.url()} is ${found} px wide`);
}

/** Into `.cache/console/<name>.png`, for people to look at. */
export async function takePicture(page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: "disabled" });
}

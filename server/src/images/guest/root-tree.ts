import { readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { isOfRuntime, imageFamily } from "../image-inputs.ts";
import { hostView } from "../host-view.ts";
import { IsolaError } from "../../errors.ts";
import { GuestTree } from "./guest-tree.ts";
import type { GuestRuntime } from "./guest-runtime.ts";
import { guestLibraries, isLibraryFolder } from "./libraries.ts";

/** Where the tools of builds come from, and how a path of them begins. */
const TOOLS = "tools";
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
/** Of a library that is linked to, not loaded; and of nobody's use in a sandbox. */
const LEFT_OUT = /\.(a|o)$/;

export interface TreePlace {
  /** The folder that holds `images/`. */
  root: string;
  /** The platform's folder inside. */
  platform: string;
}

/** What the root image of a microVM holds: the view of its runtime, how that is started, and room for the tools image. */
export async function rootTree(place: TreePlace, runtime: GuestRuntime): Promise<GuestTree> {
  const tree = await viewTree(place, runtime);
  const { platform } = place;
  tree.add(`${platform}/${TOOLS}`, { kind: "folder" });
  tree.add("/etc/isola/run", {
    kind: "text",
    text: `${commandOf(runtime, platform).join("\n")}\n`,
  });
  addPlacesOfTools(tree, platform, runtime);
  return tree;
}

/** How the runtime is started in a view of it. */
export function commandOf({ family, executable, args }: GuestRuntime, platform: string): string[] {
  const isNode = family === "nodejs";
  const inside = `${platform}/runtimes/${isNode ? "node" : "python"}`;
  return [
    isNode ? `${platform}/bin/node` : executable,
    ...args.map((arg) => arg.replaceAll("{runtime}", inside)),
  ];
}

/** The parts of this machine that the process driver shows sandboxes of a runtime, at the same paths. */
export async function viewTree(
  { root, platform }: TreePlace,
  runtime: GuestRuntime,
): Promise<GuestTree> {
  const tree = new GuestTree();
  const isNode = runtime.family === "nodejs";
  const [executable = ""] = commandOf(runtime, platform);
  const inside = `${platform}/runtimes/${imageFamily(runtime)}`;
  tree.addHost(realpathSync(runtime.executable), executable);
  tree.addHost(
    runtime.runtimeDir,
    inside,
    (path) =>
      path === runtime.runtimeDir || isOfRuntime(runtime, relative(runtime.runtimeDir, path)),
  );
  for (const { from, at } of runtime.companions ?? []) tree.addHost(from, join(platform, at));
  const needs = runtime.needs.filter((path) => !isLibraryFolder(path));
  addHostPaths(tree, [...needs, ...(await guestLibraries(runtime)), CERTIFICATES]);
  tree.add(isNode ? "/usr/local/bin/node" : join(dirname(executable), "python3"), {
    kind: "link",
    target: isNode ? executable : basename(executable),
  });
  for (const path of ["/proc", "/dev", "/tmp", "/var/task"]) tree.add(path, { kind: "folder" });
  for (const name of ["passwd", "group"])
    tree.add(`/etc/${name}`, textOf(join(root, "images/etc", name)));
  for (const name of ["hosts", "nsswitch.conf", "resolv.conf"])
    tree.add(`/etc/${name}`, textOf(join(root, "images/microvm/etc", name)));
  return tree;
}

/** Puts the tools of builds into a view, where the process driver shows them. */
export function addTools(tree: GuestTree, platform: string, { tools }: GuestRuntime): void {
  for (const { from, at } of tools?.companions ?? []) tree.addHost(from, join(platform, at));
  addHostPaths(tree, tools?.needs ?? []);
}

/** What the tools image of a runtime holds; null: the runtime has no tools. */
export function toolsTree(runtime: GuestRuntime): GuestTree | null {
  const { companions = [], needs = [] } = runtime.tools ?? {};
  if (companions.length + needs.length === 0) return null;
  const tree = new GuestTree();
  for (const { from, at } of companions) {
    const path = relative(TOOLS, at);
    if (path === "" || path.startsWith(".."))
      throw new IsolaError(
        "driver_unavailable",
        `a tool of ${runtime.name} stands at ${at}; expected a path below ${TOOLS}/`,
      );
    tree.addHost(from, `/${path}`);
  }
  for (const path of hostView(needs).binds) tree.addHost(path, `/needs${path}`);
  return tree;
}

/** Links that lead nowhere in a machine without the tools image. */
function addPlacesOfTools(tree: GuestTree, platform: string, { tools }: GuestRuntime): void {
  const { links, binds } = hostView(tools?.needs ?? []);
  for (const [target, path] of links) tree.add(path, { kind: "link", target });
  for (const path of binds)
    tree.add(path, { kind: "link", target: `${platform}/${TOOLS}/needs${path}` });
}

function addHostPaths(tree: GuestTree, paths: readonly string[]): void {
  const { links, binds } = hostView(paths);
  for (const [target, path] of links) tree.add(path, { kind: "link", target });
  for (const path of binds) tree.addHost(path, path, (each) => !LEFT_OUT.test(each));
}

function textOf(path: string) {
  return { kind: "text", text: readFileSync(path, "utf8") } as const;
}

import type { Invoke } from "@isola/api/invocations";

export interface Template {
  /** `hello-js` */
  id: string;
  title: string;
  summary: string;
  runtime: "nodejs" | "python";
  handler: string;
  /** A first call that shows what it does. */
  request: NonNullable<Invoke["request"]>;
  files: Record<string, string>;
}

const texts = import.meta.glob<string>("../../../../templates/*/*", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** In order of their names, as folders of `templates/`. */
export const templates: readonly Template[] = readTemplates(texts);

function readTemplates(all: Record<string, string>): Template[] {
  const folders = new Map<string, Record<string, string>>();
  for (const [path, text] of Object.entries(all)) {
    const [folder, file] = path.split("/").slice(-2) as [string, string];
    folders.set(folder, { ...folders.get(folder), [file]: text });
  }
  return [...folders].map(([id, { "template.json": head, ...files }]) => ({
    ...(JSON.parse(head as string) as Omit<Template, "id" | "files">),
    id,
    files,
  }));
}

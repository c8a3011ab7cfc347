import { page } from "./page.ts";

export default {
  fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/") return new Response("There is no such page.\n", { status: 404 });
    const html = page(searchParams.get("name") ?? "");
    return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};

import { page } from "./page.mjs";

export default {
  fetch(request) {
    const name = new URL(request.url).searchParams.get("name") ?? "";
    return new Response(page(name), { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};

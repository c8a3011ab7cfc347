import { openLinks } from "./links.mjs";
import { bodyBytesMax, targetOf } from "./target.mjs";

const links = openLinks();

function answer(status, value, headers = {}) {
  return Response.json(value, { status, headers });
}

async function shorten(request) {
  const text = await request.text();
  if (Buffer.byteLength(text) > bodyBytesMax) {
    return answer(413, { error: `body: at most ${bodyBytesMax} bytes` });
  }
  const { target, problem } = targetOf(text);
  if (problem !== undefined) return answer(400, { error: problem });
  const link = links.add(target, new Date());
  if (link === null) return answer(507, { error: "no room for another link" });
  const path = `/s/${link.code}`;
  return answer(link.isNew ? 201 : 200, { path, target }, { location: path });
}

/** 302 and not 301: browsers ask again, so the call is counted and a link can still end. */
function follow(code) {
  const target = links.visit(code);
  if (target === null) return answer(404, { error: `no link ${code}` });
  return new Response(null, {
    status: 302,
    headers: { location: target, "cache-control": "no-store" },
  });
}

function describe(code) {
  const link = links.get(code);
  return link === null ? answer(404, { error: `no link ${code}` }) : answer(200, link);
}

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (pathname === "/s/") {
      if (request.method === "POST") return await shorten(request);
      return answer(405, { error: "POST {url} to /s/" }, { allow: "POST" });
    }
    const match = /^\/s\/([a-z2-9]{7})(\/about)?$/.exec(pathname);
    if (match === null)
      return answer(404, { error: "paths are /s/, /s/<code> and /s/<code>/about" });
    if (!isReading) return answer(405, { error: "GET a link" }, { allow: "GET, HEAD" });
    return match[2] === undefined ? follow(match[1]) : describe(match[1]);
  },
};

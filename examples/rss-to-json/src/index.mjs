import { fromAtom } from "./atom.mjs";
import { FeedProblem } from "./feed-problem.mjs";
import { fromRss } from "./rss.mjs";
import { namespaces, readXml } from "./read-xml.mjs";

const bodyBytesMax = 2 * 1024 * 1024;

/** The JSON Feed of an RSS 2.0 or Atom document. Throws a FeedProblem. */
function convert(text) {
  const root = readXml(text);
  if (root.name === "rss" && root.uri === "") return fromRss(root);
  if (root.name === "feed" && root.uri === namespaces.atom) return fromAtom(root);
  throw new FeedProblem(`expected <rss> or Atom's <feed>, got <${root.name.slice(0, 60)}>`);
}

export default {
  async fetch(request) {
    if (request.method !== "POST") {
      return problem(405, "POST an RSS or Atom document", { allow: "POST" });
    }
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > bodyBytesMax) return problem(413, `body: at most ${bodyBytesMax} bytes`);
    try {
      const feed = convert(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
      const headers = { "content-type": "application/feed+json; charset=utf-8" };
      return new Response(`${JSON.stringify(feed)}\n`, { headers });
    } catch (error) {
      if (error instanceof FeedProblem) return problem(422, error.message);
      if (error instanceof TypeError && error.code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
        return problem(422, "body: expected UTF-8");
      }
      throw error;
    }
  },
};

function problem(status, message, headers = {}) {
  return Response.json({ error: message }, { status, headers });
}

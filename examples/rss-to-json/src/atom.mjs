import { attachmentOf, dateOf, jsonFeed, jsonFeedItem, listOf, webAddress } from "./json-feed.mjs";
import { childrenOf, htmlInside, namespaces, textOf } from "./read-xml.mjs";

/** Of Atom: RFC 4287. */
export function fromAtom(feed) {
  const base = feed.attributes["xml:base"];
  const text = (name) => textOf(childrenOf(feed, name)[0]);
  const members = {
    title: text("title"),
    home_page_url: linkOf(feed, "alternate", base),
    feed_url: linkOf(feed, "self", base),
    description: text("subtitle"),
    icon: webAddress(text("logo"), base),
    favicon: webAddress(text("icon"), base),
    authors: authorsOf(feed, base),
    language: feed.attributes["xml:lang"],
  };
  const entries = childrenOf(feed, "entry");
  return jsonFeed(
    members,
    entries.map((entry, at) => entryOf(entry, { place: `entry ${at + 1}`, base })),
  );
}

function entryOf(entry, { place, base: outer }) {
  const base = entry.attributes["xml:base"] ?? outer;
  const text = (name) => textOf(childrenOf(entry, name)[0]);
  const link = linkOf(entry, "alternate", base);
  const files = childrenOf(entry, "link")
    .filter(({ attributes }) => attributes.rel === "enclosure")
    .map(({ attributes: { href, type, length } }) =>
      attachmentOf({ url: webAddress(href, base), type, length }),
    );
  const tags = childrenOf(entry, "category").map(({ attributes }) => attributes.term);
  const fields = {
    id: text("id") ?? link,
    url: link,
    title: text("title"),
    ...contentOf(childrenOf(entry, "content")[0]),
    summary: text("summary"),
    date_published: dateOf(text("published")),
    date_modified: dateOf(text("updated")),
    authors: authorsOf(entry, base),
    tags: listOf(tags.filter(Boolean)),
    attachments: listOf(files.filter((file) => file !== undefined)),
  };
  return jsonFeedItem(fields, place);
}

/** A `type` of `text` (or none), `html` and `xhtml`; whatever else a content may be is left to its link. */
function contentOf(content) {
  const type = content?.attributes.type ?? "text";
  if (type === "text") return { content_text: textOf(content) };
  if (type === "html") return { content_html: textOf(content) };
  if (type !== "xhtml") return {};
  const [div] = childrenOf(content, "div", namespaces.xhtml);
  return { content_html: div && htmlInside(div).trim() };
}

function linkOf(element, wanted, base) {
  const found = childrenOf(element, "link").find(
    ({ attributes: { rel = "alternate" } }) => rel === wanted,
  );
  return webAddress(found?.attributes.href, base);
}

function authorsOf(element, base) {
  const authors = childrenOf(element, "author").map((author) => ({
    name: textOf(childrenOf(author, "name")[0]),
    url: webAddress(textOf(childrenOf(author, "uri")[0]), base),
  }));
  return listOf(authors.filter(({ name, url }) => name !== undefined || url !== undefined));
}

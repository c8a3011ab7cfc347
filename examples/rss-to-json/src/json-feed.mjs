import { FeedProblem } from "./feed-problem.mjs";

const itemsMax = 1000;
const version = "https://jsonfeed.org/version/1.1";

/** A feed of its members and items. What is undefined is left out of the JSON; so are lists without members. */
export function jsonFeed({ title, ...members }, items) {
  if (title === undefined) throw new FeedProblem("the feed has no title");
  if (items.length > itemsMax) {
    throw new FeedProblem(`expected at most ${itemsMax} items, got ${items.length}`);
  }
  return { version, title, ...members, items };
}

/** An item has an id and some content, or it is none. */
export function jsonFeedItem({ id, ...members }, place) {
  if (id === undefined) throw new FeedProblem(`${place}: expected an id or a link`);
  const hasContent = members.content_html !== undefined || members.content_text !== undefined;
  return { id, ...members, ...(!hasContent && { content_text: members.title ?? "" }) };
}

export const listOf = (values) => (values.length > 0 ? values : undefined);

/** A web address, also relative to that of the feed; undefined for what is none, such as `javascript:`. */
export function webAddress(text, base) {
  const url = text === undefined ? null : URL.parse(text, base);
  return url !== null && ["http:", "https:"].includes(url.protocol) ? url.href : undefined;
}

/** A date of RFC 822 or RFC 3339 as the latter; undefined for what is none: a feed is not refused for it. */
export function dateOf(text) {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** A file beside an item; undefined without an address or a type, which JSON Feed wants. */
export function attachmentOf({ url, type, length }) {
  if (url === undefined || !type) return undefined;
  const size = /^\d{1,15}$/.test(length ?? "") ? Number(length) : undefined;
  return { url, mime_type: type, size_in_bytes: size };
}

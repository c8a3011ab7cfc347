import { FeedProblem } from "./feed-problem.mjs";
import { attachmentOf, dateOf, jsonFeed, jsonFeedItem, listOf, webAddress } from "./json-feed.mjs";
import { childrenOf, namespaces, textOf } from "./read-xml.mjs";

const { atom, content, dc } = namespaces;

/** Of RSS 2.0: https://www.rssboard.org/rss-specification, with the full text of `content:encoded` and the authors of `dc:creator`. */
export function fromRss(root) {
  const [channel] = childrenOf(root, "channel");
  if (channel === undefined) throw new FeedProblem("<rss> has no <channel>");
  const text = (name) => textOf(childrenOf(channel, name)[0]);
  const home = webAddress(text("link"));
  const self = childrenOf(channel, "link", atom).find(
    ({ attributes }) => attributes.rel === "self",
  );
  const [image] = childrenOf(channel, "image");
  const members = {
    title: text("title"),
    home_page_url: home,
    feed_url: webAddress(self?.attributes.href, home),
    description: text("description"),
    icon: image && webAddress(textOf(childrenOf(image, "url")[0]), home),
    language: text("language"),
  };
  const items = childrenOf(channel, "item");
  return jsonFeed(
    members,
    items.map((item, at) => itemOf(item, { place: `item ${at + 1}`, home })),
  );
}

function itemOf(item, { place, home }) {
  const text = (name, uri) => textOf(childrenOf(item, name, uri)[0]);
  const [guid] = childrenOf(item, "guid");
  const isPermaLink = guid !== undefined && guid.attributes.isPermaLink !== "false";
  const link = webAddress(text("link"), home);
  const description = text("description");
  const full = text("encoded", content);
  const files = childrenOf(item, "enclosure").map(({ attributes: { url, type, length } }) =>
    attachmentOf({ url: webAddress(url, home), type, length }),
  );
  const authors = [...childrenOf(item, "creator", dc), ...childrenOf(item, "author")];
  const fields = {
    id: textOf(guid) ?? link,
    url: link ?? (isPermaLink ? webAddress(textOf(guid)) : undefined),
    title: text("title"),
    content_html: full ?? description,
    summary: full === undefined ? undefined : description,
    date_published: dateOf(text("pubDate")) ?? dateOf(text("date", dc)),
    authors: listOf(
      authors
        .map(textOf)
        .filter(Boolean)
        .map((name) => ({ name })),
    ),
    tags: listOf(childrenOf(item, "category").map(textOf).filter(Boolean)),
    attachments: listOf(files.filter((file) => file !== undefined)),
  };
  return jsonFeedItem(fields, place);
}

import { SaxesParser } from "saxes";
import { FeedProblem } from "./feed-problem.mjs";

export const namespaces = {
  atom: "http://www.w3.org/2005/Atom",
  content: "http://purl.org/rss/1.0/modules/content/",
  dc: "http://purl.org/dc/elements/1.1/",
  xhtml: "http://www.w3.org/1999/xhtml",
};

const depthMax = 100;
const elementsMax = 100_000;

/**
 * An element: its local `name`, the `uri` of its namespace, `attributes` by their names, and `children`, which are elements and texts (CDATA too). Reads strictly and throws a FeedProblem with
 * line and column. A document type is refused: feeds need none, and it is where entities are declared that grow without end or read files. The reader knows XML's five only.
 */
export function readXml(text) {
  const parser = new SaxesParser({ xmlns: true });
  const top = { children: [] };
  const open = [top];
  let elements = 0;
  const refuse = (message) => {
    throw new FeedProblem(`line ${parser.line}, column ${parser.column}: ${message}`);
  };
  parser.on("error", (error) => refuse(error.message.replace(/^\d+:\d+: /, "")));
  parser.on("doctype", () => refuse("a feed has no <!DOCTYPE>"));
  parser.on("opentag", (tag) => {
    elements += 1;
    if (elements > elementsMax) refuse(`more than ${elementsMax} elements`);
    if (open.length > depthMax) refuse(`elements in each other, more than ${depthMax} deep`);
    const element = elementOf(tag);
    open.at(-1).children.push(element);
    open.push(element);
  });
  parser.on("closetag", () => open.pop());
  const addText = (part) => open.at(-1).children.push(part);
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.write(text).close();
  return top.children.find((child) => typeof child !== "string");
}

function elementOf({ local, uri, attributes }) {
  const values = Object.values(attributes).map(({ name, value }) => [name, value]);
  return { name: local, uri, attributes: Object.fromEntries(values), children: [] };
}

/** Elements directly inside, by name and namespace. */
export function childrenOf(element, name, uri = element.uri) {
  return element.children.filter((child) => child.name === name && child.uri === uri);
}

/** Text inside of an element, of all depths, without blanks around it; undefined when there is none. */
export function textOf(element) {
  if (element === undefined) return undefined;
  return allText(element).trim() || undefined;
}

function allText(element) {
  return element.children
    .map((child) => (typeof child === "string" ? child : allText(child)))
    .join("");
}

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (char) => escapes[char]);
const voidElements = new Set(["area", "br", "col", "hr", "img", "input", "source", "wbr"]);

/** What is inside of an element of XHTML, as HTML. */
export function htmlInside(element) {
  return element.children
    .map((child) => (typeof child === "string" ? escaped(child) : htmlOf(child)))
    .join("");
}

function htmlOf(element) {
  const attributes = Object.entries(element.attributes)
    .filter(([name]) => name !== "xmlns" && !name.includes(":"))
    .map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const start = `<${element.name}${attributes.join("")}>`;
  if (voidElements.has(element.name)) return start;
  return `${start}${htmlInside(element)}</${element.name}>`;
}

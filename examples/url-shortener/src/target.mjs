export const bodyBytesMax = 4096;
const urlCharsMax = 2048;

/** `{ target }` or `{ problem }` of a body. Links lead to web pages alone: one to `javascript:` would be a trap. */
export function targetOf(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'body: expected JSON like {"url":"https://example.com/"}' };
  }
  const given = value?.url;
  if (typeof given !== "string" || given.length > urlCharsMax) {
    return { problem: `url: expected a text of at most ${urlCharsMax} characters` };
  }
  const url = URL.parse(given);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    return { problem: `url: expected an http or https URL, got ${given.slice(0, 100)}` };
  }
  if (url.username !== "" || url.password !== "") {
    return { problem: "url: expected one without a user name and password" };
  }
  return { target: url.href };
}

export const bodyBytesMax = 65_536;
const titleCharsMax = 200;
const textCharsMax = 10_000;
const tagsMax = 10;
const tagPattern = /^[a-z0-9-]{1,30}$/;

const members = {
  title: {
    expected: `string of 1 to ${titleCharsMax} characters`,
    holds: (value) =>
      typeof value === "string" && value.trim() !== "" && value.length <= titleCharsMax,
  },
  text: {
    expected: `string of at most ${textCharsMax} characters`,
    holds: (value) => typeof value === "string" && value.length <= textCharsMax,
  },
  tags: {
    expected: `list of at most ${tagsMax} strings like ${tagPattern.source}`,
    holds: (value) =>
      Array.isArray(value) &&
      value.length <= tagsMax &&
      value.every((tag) => typeof tag === "string" && tagPattern.test(tag)),
  },
};

/** Either the note with its defaults filled in, or everything that is wrong with it. */
export function validateNote(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { details: [{ path: "", expected: "object" }] };
  }
  const note = { text: "", tags: [], ...value };
  const details = [];
  for (const [path, { expected, holds }] of Object.entries(members)) {
    if (!holds(note[path])) details.push({ path, expected });
  }
  for (const path of Object.keys(value)) {
    if (!Object.hasOwn(members, path)) details.push({ path, expected: "no such member" });
  }
  return details.length === 0 ? { note } : { details };
}

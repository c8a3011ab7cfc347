/** `createUser` -> `create-user`, and `create-user-2` for a second one; `taken` learns it. Without a letter it is `instead`. */
export function freeName(wanted: string, taken: Set<string>, instead: string): string {
  const words = wanted.replace(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase();
  const plain = words.replace(/[^a-z0-9]+/g, "-").replace(/^[^a-z]+|-+$/g, "");
  const base = plain.slice(0, 58) || instead;
  let name = base;
  for (let n = 2; taken.has(name); n += 1) name = `${base}-${n}`;
  taken.add(name);
  return name;
}

// TypeScript for a schema of the API, so that the packed types need no library of schemas.

/** Where the schema says less than its type does. */
const declared = {
  "EventView.fields": "Record<string, string | number | boolean | null>",
};

/** @param {any} schema @param {{ path: string, indent?: string }} place `path`: `EventView.fields` @returns {string} */
export function typeText(schema, { path, indent = "" }) {
  if (declared[path] !== undefined) return declared[path];
  const inner = (/** @type {any} */ one) => typeText(one, { path, indent });
  if (schema.anyOf) return [...new Set(schema.anyOf.map(inner))].join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => inner({ type })).join(" | ");
  if (schema.type === "array") return arrayText(schema, inner);
  if (schema.type === "object") return objectText(schema, { path, indent });
  const plain = {
    string: "string",
    number: "number",
    integer: "number",
    boolean: "boolean",
    null: "null",
  };
  return plain[schema.type] ?? "unknown";
}

/** @param {any} schema @param {(one: any) => string} inner */
function arrayText({ items, minItems, maxItems }, inner) {
  const item = inner(items);
  if (minItems !== undefined && minItems === maxItems && maxItems <= 4)
    return `[${Array(maxItems).fill(item).join(", ")}]`;
  return /[|]/.test(item) || item.startsWith("{") ? `Array<${item}>` : `${item}[]`;
}

/** @param {any} schema @param {{ path: string, indent: string }} place */
function objectText({ properties, required = [], additionalProperties }, { path, indent }) {
  if (properties === undefined) {
    const value = typeof additionalProperties === "object" ? additionalProperties : {};
    return `Record<string, ${typeText(value, { path, indent })}>`;
  }
  const deeper = `${indent}  `;
  const members = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? "" : "?";
    const type = typeText(schema, { path: `${path}.${name}`, indent: deeper });
    return `${commentOf(schema, deeper)}${deeper}${keyText(name)}${mark}: ${type};`;
  });
  return members.length === 0 ? "Record<string, never>" : `{\n${members.join("\n")}\n${indent}}`;
}

/** @param {any} schema @param {string} indent */
function commentOf({ description }, indent) {
  return description ? `${indent}/** ${description.replaceAll("*/", "*\\/")} */\n` : "";
}

/** @param {string} name */
function keyText(name) {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

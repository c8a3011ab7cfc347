// Writes frames.json: `node protocol/golden/generate.mjs`. A test compares the file with what this makes.
import { writeFileSync } from "node:fs";
import { FrameWriter } from "../src/frames.mjs";
import { broken, connection, streams } from "./catalogue.mjs";

const about =
  "Byte-exact frames of protocol/README.md, made by generate.mjs. A frame's bytes are `hex`, followed, where `repeat` is there, by " +
  "`repeat.hex` written `repeat.times` times (its payload). `broken`: what a reader on `side` must refuse, and a part of the reason.";

/** @param {import("./catalogue.mjs").Golden} golden */
function encode(golden) {
  const { name, from, type, flags = 0, stream = 0, payload, repeat, ...fields } = golden;
  const pieces = /** @type {Buffer[]} */ ([]);
  const writer = new FrameWriter((bytes) => pieces.push(bytes), () => {});
  const long = repeat && Buffer.from(repeat.hex.repeat(repeat.times), "hex");
  writer.frame(type, flags, stream, long ?? payload);
  writer.flush();
  const frame = Buffer.concat(pieces);
  const hex = (long ? frame.subarray(0, frame.length - long.length) : frame).toString("hex");
  const shown = repeat ? { repeat } : { payloadHex: (payload ?? Buffer.alloc(0)).toString("hex") };
  return { name, from, hex, type, flags, stream, ...shown, ...fields };
}

/** The text of frames.json. */
export function goldenText() {
  const line = (/** @type {unknown} */ value) => `    ${JSON.stringify(value)}`;
  const frames = [...connection, ...streams].map(encode).map(line).join(",\n");
  const refused = broken.map(line).join(",\n");
  return `{\n  "about": ${JSON.stringify(about)},\n  "frames": [\n${frames}\n  ],\n  "broken": [\n${refused}\n  ]\n}\n`;
}

if (import.meta.main) writeFileSync(new URL("frames.json", import.meta.url), goldenText());

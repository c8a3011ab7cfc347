// Writes picture.bmp: 120 x 80 pixels of two colours running into each other.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const [width, height] = [120, 80];
const head = Buffer.alloc(54);
head.write("BM");
head.writeUInt32LE(54 + width * height * 3, 2);
head.writeUInt32LE(54, 10);
head.writeUInt32LE(40, 14);
head.writeInt32LE(width, 18);
head.writeInt32LE(height, 22);
head.writeUInt16LE(1, 26);
head.writeUInt16LE(24, 28);
const pixels = Buffer.alloc(width * height * 3);
for (let at = 0; at < width * height; at += 1) {
  pixels[at * 3] = Math.floor(((at % width) * 255) / width);
  pixels[at * 3 + 2] = Math.floor((Math.floor(at / width) * 255) / height);
}
writeFileSync(join(import.meta.dirname, "picture.bmp"), Buffer.concat([head, pixels]));

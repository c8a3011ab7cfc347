// Prints the header with which a body is signed: node sign.mjs <file> <secret>
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const [file, secret] = process.argv.slice(2);
if (!file || !secret) throw new Error("usage: node sign.mjs <file> <secret>");
const signature = createHmac("sha256", secret).update(readFileSync(file)).digest("hex");
console.log(`x-hub-signature-256: sha256=${signature}`);

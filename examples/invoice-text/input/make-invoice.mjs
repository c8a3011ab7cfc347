// Writes invoice.pdf: one page of text as an office program would, compressed, in a font that every reader has.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

const lines = [
  [740, 18, "Müller & Sons Bakery"],
  [715, 11, "12 Mill Lane, 8001 Zürich"],
  [670, 11, "Invoice number: MS-2026/0417"],
  [655, 11, "Invoice date: 2026-11-23"],
  [640, 11, "Due: 2026-12-23"],
  [600, 11, "120 x rye bread        576.00 €"],
  [585, 11, "400 x croissant        660.00 €"],
  [560, 11, "Subtotal             1,236.00 €"],
  [545, 11, "VAT 2.6 %               32.14 €"],
  [525, 11, "Total due:           1,268.14 €"],
];

/** In WinAnsiEncoding, which has the letters of Latin-1 where Latin-1 has them, and the euro sign at 0x80. */
function encode(text) {
  return text.replace(/[\\()]/g, "\\$&").replaceAll("€", "\x80");
}

const drawn = lines.map(
  ([y, size, text]) => `BT /F1 ${size} Tf 72 ${y} Td (${encode(text)}) Tj ET\n`,
);
const content = deflateSync(Buffer.from(drawn.join(""), "latin1"));
const objects = [
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
  Buffer.concat([
    Buffer.from(`<< /Length ${content.length} /Filter /FlateDecode >>\nstream\n`),
    content,
    Buffer.from("\nendstream"),
  ]),
  "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
];

const parts = [Buffer.from("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "latin1")];
const offsets = [];
const written = () => parts.reduce((bytes, part) => bytes + part.length, 0);
for (const [at, object] of objects.entries()) {
  offsets.push(written());
  parts.push(Buffer.from(`${at + 1} 0 obj\n`), Buffer.from(object), Buffer.from("\nendobj\n"));
}
const tableAt = written();
const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`);
parts.push(
  Buffer.from(
    `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows.join("")}` +
      `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${tableAt}\n%%EOF\n`,
  ),
);
writeFileSync(join(import.meta.dirname, "invoice.pdf"), Buffer.concat(parts));

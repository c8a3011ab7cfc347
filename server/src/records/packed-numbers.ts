/**
 * How a column of numbers lies in a chunk: a number or null alone is the value of every row, and takes no bytes. The unsigned types hold the distance from `base`, `f64`
 * the number itself. With `hasNull` 0 is null and the distances are one larger; in `f64` null is NaN, as it is in the arrays on both sides.
 */
export type Packing = number | null | [type: PackedType, base: number, hasNull: boolean];
type PackedType = keyof typeof arrays;

const arrays = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array };
const widths = { u8: 1, u16: 2, u32: 4, f64: 8 };

export function packNumbers(values: Float64Array, count: number): [Packing, Uint8Array] {
  if (isSame(values, count)) return [numberOrNull(values[0] as number), noBytes];
  const { least, most, hasNull, isWhole } = examine(values, count);
  const shift = hasNull ? 1 : 0;
  const type = isWhole ? typeFor(most - least + shift) : "f64";
  if (type === "f64") return [["f64", 0, hasNull], bytesOf(values.slice(0, count))];
  const packed = new arrays[type](count);
  for (let at = 0; at < count; at += 1) {
    const value = values[at] as number;
    // NaN has no distance and becomes 0.
    packed[at] = value - least + shift;
  }
  return [[type, least, hasNull], bytesOf(packed)];
}

export function packedBytes(packing: Packing, count: number): number {
  return Array.isArray(packing) ? widths[packing[0]] * count : 0;
}

export function unpackNumbers(packing: Packing, bytes: Buffer, count: number): Float64Array {
  const values = new Float64Array(count);
  if (!Array.isArray(packing)) return values.fill(packing ?? Number.NaN);
  const [type, base, hasNull] = packing;
  const read = readers[type](bytes);
  if (type === "f64") return values.map((_, at) => read(at));
  const least = base - (hasNull ? 1 : 0);
  for (let at = 0; at < count; at += 1) {
    const distance = read(at);
    values[at] = hasNull && distance === 0 ? Number.NaN : least + distance;
  }
  return values;
}

const readers: Record<PackedType, (bytes: Buffer) => (at: number) => number> = {
  u8: (bytes) => (at) => bytes[at] as number,
  u16: (bytes) => (at) => bytes.readUInt16LE(at * 2),
  u32: (bytes) => (at) => bytes.readUInt32LE(at * 4),
  f64: (bytes) => (at) => bytes.readDoubleLE(at * 8),
};
const noBytes = new Uint8Array(0);

function isSame(values: Float64Array, count: number): boolean {
  const first = values[0] as number;
  if (Number.isNaN(first)) return isNull(values, count);
  for (let at = 1; at < count; at += 1) if (values[at] !== first) return false;
  return true;
}

function isNull(values: Float64Array, count: number): boolean {
  for (let at = 1; at < count; at += 1) if (!Number.isNaN(values[at])) return false;
  return true;
}

function examine(values: Float64Array, count: number) {
  let least = Infinity;
  let most = -Infinity;
  let hasNull = false;
  let isWhole = true;
  for (let at = 0; at < count; at += 1) {
    const value = values[at] as number;
    if (value < least) least = value;
    if (value > most) most = value;
    if (Number.isNaN(value)) hasNull = true;
    else if (Math.trunc(value) !== value) isWhole = false;
  }
  return { least, most, hasNull, isWhole };
}

function typeFor(distance: number): PackedType {
  if (distance < 2 ** 8) return "u8";
  if (distance < 2 ** 16) return "u16";
  return distance < 2 ** 32 ? "u32" : "f64";
}

/** Little-endian, as every machine that Isola runs on. */
function bytesOf(array: { buffer: ArrayBufferLike; byteLength: number }): Uint8Array {
  return new Uint8Array(array.buffer, 0, array.byteLength);
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

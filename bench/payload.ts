export const helloText = "hello";

/** 0: GET, answered with `helloText`. Otherwise a POST of so many bytes, answered with them. */
export interface Payload {
  bytes: number;
  name: string;
}

const KiB = 1024;
export const payloads: readonly Payload[] = [
  { bytes: 0, name: "0 B" },
  { bytes: KiB, name: "1 KiB" },
  { bytes: 64 * KiB, name: "64 KiB" },
  { bytes: 1024 * KiB, name: "1 MiB" },
];

export function responseBodyBytes(payload: Payload): number {
  return payload.bytes === 0 ? helloText.length : payload.bytes;
}

import { Refusal } from "./refusal.ts";

/** The numbers of `{"numbers": [1, 2, 3]}`. Throws a `Refusal` where `body` is anything else. */
export function numbersIn(body: unknown): number[] {
  const numbers = isRecord(body) ? body.numbers : undefined;
  if (!Array.isArray(numbers) || !numbers.every(isFiniteNumber))
    throw new Refusal(400, 'expected {"numbers": [1, 2, 3]}');
  return numbers;
}

export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/** With its currency; small amounts with as many digits as they need. */
export function money(amount: number, currency: string): string {
  const digits =
    Math.abs(amount) >= 1 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 };
  return amount.toLocaleString(undefined, {
    style: "currency",
    currency,
    minimumFractionDigits: 0,
    ...digits,
  });
}

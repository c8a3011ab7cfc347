const MANY_PERCENT = 1000;

/** `, +12 %` against the time before; empty where that says nothing. */
export function change(now: number | null, before: number | null): string {
  if (now === null || before === null || before === 0) return "";
  const part = Math.round((now / before - 1) * 100);
  if (part === 0) return ", the same";
  if (part >= MANY_PERCENT) return `, ${Math.round(now / before).toLocaleString()} times that`;
  return `, ${part > 0 ? "+" : ""}${part} %`;
}

/** Of states and start kinds, the same in every chart. */
export const stateColors: Readonly<Record<string, string>> = {
  busy: "#1a9c89",
  idle: "#66a80f",
  frozen: "#4dabf7",
  blank: "#adb5bd",
  starting: "#f08c00",
  claimed: "#e8590c",
  draining: "#868e96",
};

export const startKindColors: Readonly<Record<string, string>> = {
  warm: "#1a9c89",
  prewarmed: "#66a80f",
  restored: "#4dabf7",
  cold: "#e8590c",
  none: "#868e96",
};

export const percentileColors = { p50: "#1a9c89", p95: "#f08c00", p99: "#c2255c" } as const;

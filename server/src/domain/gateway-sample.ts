/** What a value of a sample is of: labels, `""` and 0 for any. */
export interface SamplePart {
  project: string;
  functionName: string;
  functionId: string;
  revision: number;
  driver: string;
  /** By measure, or `measure:detail`: what is there now, or what was counted since the sample before. */
  values: Record<string, number>;
}

/** What the gateway has looked at and counted at one moment. */
export interface GatewaySample {
  /** Unix time in ms. */
  at: number;
  /** One for each pool that has sandboxes, callers or counts, one for each driver with blank sandboxes, and one for all that is of none. */
  parts: SamplePart[];
}

import type { OpenText } from "./open-text.ts";

/** A request that leads to a function there. */
export interface Endpoint {
  /** Of the file: `functions.hello.events[0].http` */
  place: string;
  /** Empty: every method. */
  methods: string[];
  /** As there: `/users/{id}` */
  path: string;
}

export interface Schedule {
  place: string;
  /** null: none was given. */
  name: string | null;
  /** `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)` */
  expression: string;
  /** null: UTC */
  timeZone: string | null;
  isEnabled: boolean;
  /** What the function is given; null: what a scheduled event is. */
  event: unknown;
}

/** A function as the file describes it, in Isola's units. */
export interface ImportedFunction {
  place: string;
  /** As there; a name of Isola's is made of it. */
  name: string;
  runtime: "nodejs" | "python";
  /** Below the folder of the file: `.`, `hello-world` */
  codeDir: string;
  handler: string;
  description: string | null;
  memoryMiB: number;
  timeoutMs: number;
  env: Record<string, string | OpenText>;
  reservedConcurrency: number | null;
  minSandboxes: number | null;
  /** Its file is bundled with what it imports. */
  isBundled: boolean;
  endpoints: Endpoint[];
  schedules: Schedule[];
}

/** All that a file holds. */
export interface Imported {
  functions: ImportedFunction[];
  /** Of functions that could not be taken over. */
  refused: string[];
  /** Lines for .isolaignore by the folder of the code. */
  ignored: Record<string, string[]>;
}

import type { GatewaySample, SamplePart } from "../../domain/gateway-sample.ts";
import type { FunctionTotals } from "./function-totals.ts";

/** What the gateway has counted on one driver, of all functions. */
export interface DriverTotals {
  starts: number;
  startFailures: number;
  /** By reason. */
  ends: Map<string, number>;
}

/** What samples of gateways come to: counts since the control plane started. */
export class GatewaySums {
  readonly byDriver = new Map<string, DriverTotals>();
  lateFrames = 0;
  logLinesLost = 0;
  gatewayCpuMs = 0;
  readonly #totalsOf: (part: SamplePart) => FunctionTotals;

  constructor(totalsOf: (part: SamplePart) => FunctionTotals) {
    this.#totalsOf = totalsOf;
  }

  add({ parts }: GatewaySample): void {
    for (const part of parts) {
      if (part.driver === "") this.#addOwn(part);
      else this.#addPart(part);
    }
  }

  #addOwn({ values }: SamplePart): void {
    this.lateFrames += values.lateFrames ?? 0;
    this.logLinesLost += values.logLinesLost ?? 0;
    this.gatewayCpuMs += values.gatewayCpu ?? 0;
  }

  #addPart(part: SamplePart): void {
    const totals = this.#totalsOf(part);
    const driver = this.#ofDriver(part.driver);
    for (const [measure, value] of Object.entries(part.values)) {
      const [name, detail = ""] = measure.split(":");
      if (name === "throttled") totals.throttled += value;
      else if (name === "sandboxCpu") totals.sandboxCpuMs += value;
      else if (name === "sandboxGbSeconds") totals.sandboxGbSeconds += value;
      else if (name === "starts") driver.starts += value;
      else if (name === "startFailures") driver.startFailures += value;
      else if (name === "ends") driver.ends.set(detail, (driver.ends.get(detail) ?? 0) + value);
    }
  }

  #ofDriver(name: string): DriverTotals {
    const totals = this.byDriver.get(name) ?? { starts: 0, startFailures: 0, ends: new Map() };
    this.byDriver.set(name, totals);
    return totals;
  }
}

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { escapeCases } from "./conformance/escape-cases.ts";
import { exhaustionCases } from "./conformance/exhaustion-cases.ts";
import { killCases } from "./conformance/kill-cases.ts";
import { lifeCases } from "./conformance/life-cases.ts";
import { limitCases } from "./conformance/limit-cases.ts";
import { allowSlowness } from "./conformance/session.ts";
import { type CaseGroup, type ConformanceOptions, Stand, caseGroups } from "./conformance/stand.ts";
import { viewCases } from "./conformance/view-cases.ts";

const cases: Record<CaseGroup, (stand: Stand) => void> = {
  ...{ life: lifeCases, view: viewCases, escape: escapeCases },
  ...{ limit: limitCases, exhaustion: exhaustionCases, kill: killCases },
};

/**
 * The specification of `Driver`, as a suite of `node:test` that every driver runs, with the real runtimes and the real protocol. A driver leaves a case out only
 * by giving the reason. At the end nothing of it may be left on the machine.
 */
export function driverConformance(name: string, options: ConformanceOptions): void {
  allowSlowness(options.slowness ?? 1);
  describe(`driver ${name}`, () => {
    const stand = new Stand(options);
    after(async () => {
      await stand.driver.close();
      assert.deepEqual(await options.leftovers(), []);
    });

    test("the probe says what it can do, and what not", async () => {
      const probe = await stand.driver.probe();
      assert.equal(
        probe.isAvailable,
        true,
        `${probe.problems.join("; ")}: ${probe.fixes.join("; ")}`,
      );
      assert(probe.protections.length > 0);
      for (const protection of probe.protections) assert.notEqual(protection.how, "");
    });
    for (const group of options.groups ?? caseGroups) cases[group](stand);
    test(`every case it leaves out exists and has its reason: ${leftOutText(options)}`, () => {
      const isWhole = options.groups === undefined;
      for (const [left, reason] of Object.entries(options.leavesOut)) {
        assert(!isWhole || isCase(stand, left), `there is no case ${left}`);
        assert.match(reason, /\S+ \S+/);
      }
    });
  });
}

function isCase({ names }: Stand, left: string): boolean {
  return left.endsWith("*")
    ? [...names].some((name) => name.startsWith(left.slice(0, -1)))
    : names.has(left);
}

function leftOutText({ leavesOut }: ConformanceOptions): string {
  return Object.keys(leavesOut).join(", ") || "none";
}

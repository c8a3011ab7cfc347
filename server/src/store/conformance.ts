import { describe } from "node:test";
import { buildCases } from "./conformance/build-cases.ts";
import { eventCases } from "./conformance/event-cases.ts";
import { comparisonCases } from "./conformance/comparison-cases.ts";
import { functionCases } from "./conformance/function-cases.ts";
import { sessionCases } from "./conformance/session-cases.ts";
import { keyCases } from "./conformance/key-cases.ts";
import { listCases } from "./conformance/list-cases.ts";
import { projectCases } from "./conformance/project-cases.ts";
import { logCases } from "./conformance/log-cases.ts";
import { logTrimCases } from "./conformance/log-trim-cases.ts";
import { metricCases } from "./conformance/metric-cases.ts";
import { recordCases } from "./conformance/record-cases.ts";
import { revisionCases } from "./conformance/revision-cases.ts";
import { scheduleCases } from "./conformance/schedule-cases.ts";
import type { OpenStore } from "./conformance/fixture.ts";

/** The specification of `Store`: every engine runs it. `open` gives a new, empty store; its files are gone after `remove`. */
export function storeConformance(name: string, open: OpenStore): void {
  describe(`the ${name} store`, () => {
    projectCases(open);
    functionCases(open);
    revisionCases(open);
    listCases(open);
    keyCases(open);
    sessionCases(open);
    buildCases(open);
    recordCases(open);
    logCases(open);
    logTrimCases(open);
    eventCases(open);
    metricCases(open);
    comparisonCases(open);
    scheduleCases(open);
  });
}

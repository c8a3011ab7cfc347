import { describe } from "node:test";
import { buildCases } from "./conformance/build-cases.ts";
import { comparisonCases } from "./conformance/comparison-cases.ts";
import { functionCases } from "./conformance/function-cases.ts";
import { keyCases } from "./conformance/key-cases.ts";
import { listCases } from "./conformance/list-cases.ts";
import { recordCases } from "./conformance/record-cases.ts";
import { revisionCases } from "./conformance/revision-cases.ts";
import type { OpenStore } from "./conformance/fixture.ts";

/** The specification of `Store`: every engine runs it. `open` gives a new, empty store; its files are gone after `remove`. */
export function storeConformance(name: string, open: OpenStore): void {
  describe(`the ${name} store`, () => {
    functionCases(open);
    revisionCases(open);
    listCases(open);
    keyCases(open);
    buildCases(open);
    recordCases(open);
    comparisonCases(open);
  });
}

import { type LeftOut, leftOut } from "../server/src/drivers/conformance/left-out.ts";
import { notice, table, tableRow } from "./docs-table.ts";

/** docs/conformance.md. */
export function conformancePage(): string {
  const rows = Object.entries(leftOut).flatMap(([way, cases]) => rowsOf(way, cases));
  return `${notice}
# What drivers leave out

Every driver runs one conformance suite (\`server/src/drivers/conformance/\`: life, what code can see, ways out, limits, exhaustion, kill) and one suite of deadlines (\`server/test/deadlines/\`), in each way in which it can be run. Of the first, a way leaves out only the
cases, or parts of cases, of this table; of the second none leaves out any. Where the machine allows it, what is left out is tried all the same, and seen to be needed.

\`microvm\` emulated runs all of it with \`MICROVM_TESTS=whole\`, and in \`npm test\` the cases of life, view and escape and ten of the deadlines; with Firecracker, or the program that plays it, those that depend on what runs the machine: life, limits and kill ([limits.md](limits.md)). \`gvisor\` in an engine runs ten of the deadlines in \`npm test\`, all with \`GVISOR_TESTS=whole\`; without an engine it runs all.

${table(["Driver", "Left out", "Why"], rows)}
`;
}

/** One row for each reason. */
function rowsOf(way: string, cases: LeftOut): string[] {
  const byReason = new Map<string, string[]>();
  for (const [name, reason] of Object.entries(cases))
    byReason.set(reason, [...(byReason.get(reason) ?? []), `\`${name}\``]);
  if (byReason.size === 0) return [tableRow([way, "nothing", ""])];
  return [...byReason].map(([reason, names]) => tableRow([way, names.join(", "), reason]));
}

import { Alert, Code, Skeleton, Stack, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useScope } from "../../../api/project-scope.ts";
import { localTime } from "../../../format/time.ts";
import { bytes, duration } from "../../../format/units.ts";
import { visibleText } from "../../../format/visible-text.ts";
import { ErrorState } from "../../../parts/error-state.tsx";
import { LogLines } from "../../../parts/log-lines.tsx";
import { OutcomeBadge } from "../../../parts/outcome-badge.tsx";
import { Waterfall } from "../../../parts/waterfall.tsx";

/** One invocation in full, with what it wrote. */
export function InvocationDetail({ id }: { id: string }) {
  const { queries } = useScope();
  const one = useQuery(queries.invocation(id));
  if (one.data === undefined)
    return one.error === null ? <Skeleton h={300} /> : <ErrorState error={one.error} />;
  const it = one.data;
  const facts: [string, React.ReactNode][] = [
    ["Id", <Code key="id">{it.id}</Code>],
    ["When", localTime(it.startedAt)],
    ["Request", visibleText(`${it.method} ${it.path}`)],
    ["Status", it.status === 0 ? "nobody was left to answer" : it.status],
    ["Revision", it.revision],
    ["Driver", it.driver],
    ["Runtime", it.runtime],
    ["Sandbox", it.sandboxId ?? "none"],
    ["Received", bytes(it.requestBytes)],
    ["Sent", bytes(it.responseBytes)],
    ["Killed", it.killMs === null ? "no" : `gone after ${duration(it.killMs)}`],
    ["Trace", it.traceId === null ? "none" : <Code key="trace">{it.traceId}</Code>],
  ];
  return (
    <Stack>
      <OutcomeBadge outcome={it.outcome} />
      {it.errorMessage !== null && (
        <Alert color="red" title={it.errorCode ?? "error"}>
          {visibleText(it.errorMessage)}
        </Alert>
      )}
      <Waterfall phases={it} startKind={it.startKind} />
      <Table>
        <Table.Tbody>
          {facts.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th>{name}</Table.Th>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {it.logs.length > 0 && <LogLines lines={it.logs} label="Log lines of this invocation" />}
    </Stack>
  );
}

import { Alert, Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useScope } from "../../../api/project-scope.ts";
import { ErrorState } from "../../../parts/error-state.tsx";
import { CodeWorkbench } from "./code-workbench.tsx";

/** The live revision's files, to look at, change and deploy. */
export function CodeTab() {
  const { name } = useParams({ from: "/functions/$name" });
  const { queries } = useScope();
  const fn = useQuery(queries.function(name));
  const code = useQuery({
    ...queries.code(name, fn.data?.liveRevision ?? 0),
    enabled: fn.data !== undefined,
  });
  if (fn.data === undefined || code.data === undefined) {
    const error = fn.error ?? code.error;
    if (error === null) return <Skeleton h={300} />;
    return <ErrorState error={error} onRetry={() => void code.refetch()} />;
  }
  const { files, others } = code.data;
  return (
    <Stack>
      {others.length > 0 && (
        <Alert color="yellow" title="Some files are no text">
          They are not shown, and the package cannot be edited here without losing them:{" "}
          {others.slice(0, 20).join(", ")}
          {others.length > 20 && ` and ${others.length - 20} more`}. Deploy it from the command
          line.
        </Alert>
      )}
      <CodeWorkbench
        key={fn.data.codeDigest}
        fn={fn.data}
        files={files}
        isReadOnly={others.length > 0}
      />
    </Stack>
  );
}

import { Code, List, Skeleton, Stack, Text, Title } from "@mantine/core";
import type { RevisionView } from "@isola/api/functions";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { ErrorState } from "../../../parts/error-state.tsx";
import { changedFiles, changedSettings } from "./differences.ts";

const TextDifference = lazy(() => import("../../../parts/text-difference.tsx"));

export interface RevisionDifferenceProps {
  name: string;
  /** Newest first. */
  revisions: readonly RevisionView[];
  revision: number;
}

/** What a revision changed of the one before it. */
export function RevisionDifference({ name, revisions, revision }: RevisionDifferenceProps) {
  const at = revisions.findIndex((each) => each.revision === revision);
  const after = revisions[at];
  const before = revisions[at + 1];
  if (after === undefined) return null;
  if (before === undefined)
    return <Text c="dimmed">Revision {revision} is the first one that is known here.</Text>;
  const settings = changedSettings(before, after);
  return (
    <Stack gap="sm" component="section" aria-label={`What revision ${revision} changed`}>
      <Title order={2}>
        Revision {before.revision} to {revision}
      </Title>
      {settings.length > 0 && (
        <List size="sm">
          {settings.map(({ name: setting, from, to }) => (
            <List.Item key={setting}>
              <Code>{setting}</Code>: {from} to {to}
            </List.Item>
          ))}
        </List>
      )}
      {before.codeDigest === after.codeDigest ? (
        <Text c="dimmed">The code is the same.</Text>
      ) : (
        <CodeDifference name={name} from={before.revision} to={revision} />
      )}
    </Stack>
  );
}

function CodeDifference({ name, from, to }: { name: string; from: number; to: number }) {
  const { queries } = useScope();
  const before = useQuery(queries.code(name, from));
  const after = useQuery(queries.code(name, to));
  if (before.data === undefined || after.data === undefined) {
    const error = before.error ?? after.error;
    return error === null ? <Skeleton h={200} /> : <ErrorState error={error} />;
  }
  const files = changedFiles(before.data.files, after.data.files);
  if (files.length === 0) return <Text c="dimmed">Only files that are no text differ.</Text>;
  return (
    <Suspense fallback={<Skeleton h={200} />}>
      {files.map(({ path, from: old, to: fresh }) => (
        <Stack key={path} gap={4}>
          <Text size="sm" fw={600}>
            {path}
          </Text>
          <TextDifference path={path} from={old} to={fresh} />
        </Stack>
      ))}
    </Suspense>
  );
}

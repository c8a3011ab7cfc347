import { Button, Group, Stack, Text } from "@mantine/core";
import type { FunctionView } from "@isola/api/functions";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Rocket } from "lucide-react";
import { useState } from "react";
import { useScope } from "../../../api/project-scope.ts";
import { BuildOutput } from "../../../parts/build-output.tsx";
import { ErrorState } from "../../../parts/error-state.tsx";
import { FilesEditor } from "../../../parts/files-editor.tsx";

export interface CodeWorkbenchProps {
  fn: FunctionView;
  files: Record<string, string>;
  isReadOnly: boolean;
}

export function CodeWorkbench({ fn, files: deployed, isReadOnly }: CodeWorkbenchProps) {
  const { api } = useScope();
  const [files, setFiles] = useState(deployed);
  const [output, setOutput] = useState<string[]>([]);
  const client = useQueryClient();
  const deploy = useMutation({
    mutationFn: () => {
      setOutput([]);
      const onOutput = (line: string) => setOutput((before) => [...before.slice(-999), line]);
      // Somebody else's deploy meanwhile is told, and not written over.
      return api.putCode(fn.name, { files }, { onOutput, ifMatch: fn.etag });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["functions"] }),
  });
  const isChanged = JSON.stringify(files) !== JSON.stringify(deployed);
  return (
    <Stack>
      <FilesEditor files={files} {...(!isReadOnly && { onChange: setFiles })} />
      {!isReadOnly && (
        <Group>
          <Button
            leftSection={<Rocket size={16} aria-hidden />}
            onClick={() => deploy.mutate()}
            disabled={!isChanged}
            loading={deploy.isPending}
          >
            Deploy
          </Button>
          <Button
            variant="default"
            disabled={!isChanged || deploy.isPending}
            onClick={() => setFiles(deployed)}
          >
            Discard changes
          </Button>
          <Text size="sm" c="dimmed" role="status">
            {deploy.isSuccess
              ? `Revision ${deploy.data.liveRevision} is live.`
              : isChanged
                ? "Not deployed yet"
                : `Revision ${fn.liveRevision}`}
          </Text>
        </Group>
      )}
      <BuildOutput lines={output} />
      {deploy.isError && <ErrorState error={deploy.error} />}
    </Stack>
  );
}

import { Button, FileButton, Group, Paper, Stack, Text } from "@mantine/core";
import type { Code } from "@isola/api/functions";
import { FolderUp, PackageOpen } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { bytes } from "../../format/units.ts";
import { droppedFiles, filesOfInput, packageOf } from "./dropped-files.ts";

export interface DroppedPackage {
  /** In words. */
  title: string;
  code: Code;
  /** null: it cannot be told from outside. */
  runtime: "nodejs" | "python" | null;
}

export interface PackageDropProps {
  dropped: DroppedPackage | null;
  onDrop(dropped: DroppedPackage | null): void;
}

/** Takes a folder or a zip archive, by dragging or by choosing. */
export function PackageDrop({ dropped, onDrop }: PackageDropProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [isOver, setIsOver] = useState(false);
  const folder = useRef<HTMLInputElement>(null);
  const take = async (files: Promise<readonly { path: string; file: File }[]>) => {
    try {
      onDrop(await packageOf(await files));
      setProblem(null);
    } catch (error) {
      onDrop(null);
      setProblem((error as Error).message);
    }
  };
  return (
    <Paper
      withBorder
      p="lg"
      bg={isOver ? "var(--mantine-primary-color-light)" : undefined}
      onDragOver={(event: DragEvent) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event: DragEvent) => {
        event.preventDefault();
        setIsOver(false);
        void take(droppedFiles(event.dataTransfer));
      }}
    >
      <Stack align="center" gap="sm">
        <PackageOpen size={32} aria-hidden />
        <Text ta="center">Drop a folder or a zip archive here</Text>
        <Group>
          <FileButton
            accept=".zip,application/zip"
            onChange={(file) => file && void take(filesOfInput([file]))}
          >
            {(props) => (
              <Button {...props} variant="default">
                Choose a zip archive
              </Button>
            )}
          </FileButton>
          <Button
            variant="default"
            leftSection={<FolderUp size={16} aria-hidden />}
            onClick={() => folder.current?.click()}
          >
            Choose a folder
          </Button>
          <input
            ref={folder}
            type="file"
            hidden
            aria-label="Folder"
            {...{ webkitdirectory: "" }}
            onChange={(event) => void take(filesOfInput([...(event.currentTarget.files ?? [])]))}
          />
        </Group>
        <Text
          size="sm"
          c={problem === null ? "dimmed" : "var(--mantine-color-error)"}
          role="status"
        >
          {problem ??
            (dropped === null
              ? `Up to ${bytes(50 * 2 ** 20)} compressed; a lockfile's dependencies are installed`
              : dropped.title)}
        </Text>
      </Stack>
    </Paper>
  );
}

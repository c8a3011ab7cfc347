import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";

export interface CodeEditorProps {
  label: string;
  /** Its ending chooses the highlighting. */
  path: string;
  value: string;
  onChange?(value: string): void;
  /** Left out: as tall as its text. */
  height?: string;
}

/** Loaded once somebody edits. */
const Editor = lazy(() => import("./code-mirror.tsx"));

/** An editor of one text; without `onChange` it only shows. */
export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Skeleton h={props.height ?? 200} />}>
      <Editor {...props} />
    </Suspense>
  );
}

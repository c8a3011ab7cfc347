import { useComputedColorScheme } from "@mantine/core";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import { themeOf } from "./code-theme.ts";

/** One text against another, line by line. */
// oxlint-disable-next-line import/no-default-export -- what `lazy` takes
export default function TextDifference({
  path,
  from,
  to,
}: {
  path: string;
  from: string;
  to: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme("light");
  useEffect(() => {
    const view = new EditorView({
      parent: place.current as HTMLDivElement,
      state: EditorState.create({
        doc: to,
        extensions: [
          basicSetup,
          themeOf(scheme),
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ "aria-label": `Changes of ${path}`, tabindex: "0" }),
          unifiedMergeView({
            original: from,
            mergeControls: false,
            collapseUnchanged: { margin: 3 },
          }),
        ],
      }),
    });
    return () => view.destroy();
  }, [path, from, to, scheme]);
  return <div ref={place} />;
}

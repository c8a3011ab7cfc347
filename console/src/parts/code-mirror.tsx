import { useComputedColorScheme } from "@mantine/core";
import { EditorView, basicSetup } from "codemirror";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { useEffect, useRef } from "react";
import type { CodeEditorProps } from "./code-editor.tsx";
import { themeOf } from "./code-theme.ts";

/** CodeMirror, held to what React says. */
// oxlint-disable-next-line import/no-default-export -- what `lazy` takes
export default function CodeMirror({ label, path, value, onChange, height }: CodeEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const theme = useRef(new Compartment());
  const heard = useRef(onChange);
  heard.current = onChange;
  const scheme = useComputedColorScheme("light");
  const isReadOnly = onChange === undefined;
  useEffect(() => {
    const editor = new EditorView({
      parent: place.current as HTMLDivElement,
      state: EditorState.create({
        doc: value,
        extensions: [
          basicSetup,
          languageOf(path),
          theme.current.of(themeOf(scheme)),
          EditorState.readOnly.of(isReadOnly),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) heard.current?.(update.state.doc.toString());
          }),
          EditorView.theme({
            "&": { height: height ?? "auto" },
            ".cm-scroller": { overflow: "auto" },
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- another file is another editor; text and colours are brought in below
  }, [path, isReadOnly, height, label]);
  useEffect(() => {
    view.current?.dispatch({ effects: theme.current.reconfigure(themeOf(scheme)) });
  }, [scheme]);
  useEffect(() => {
    const editor = view.current;
    if (editor === null || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  return <div ref={place} />;
}

function languageOf(path: string): Extension {
  if (/\.(m|c)?tsx?$/.test(path)) return javascript({ typescript: true, jsx: path.endsWith("x") });
  if (/\.((m|c)?js|jsx)$/.test(path)) return javascript({ jsx: true });
  if (path.endsWith(".py")) return python();
  return path.endsWith(".json") ? json() : [];
}

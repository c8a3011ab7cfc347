import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "codemirror";
import { tags } from "@lezer/highlight";

/** Colours of at least 4.5 to 1 on the ground of each theme. */
const palettes = {
  light: {
    ...{
      keyword: "#8f1f8a",
      text: "#0b6b2f",
      number: "#0a5ea8",
      comment: "#5c6370",
      name: "#0b5394",
    },
    ...{ ground: "#ffffff", gutter: "#5c6370", active: "#f2f4f5", selection: "#cdeae5" },
  },
  dark: {
    ...{
      keyword: "#e39bdf",
      text: "#8fd6a0",
      number: "#8cc4f5",
      comment: "#a3a9b3",
      name: "#9cc7f0",
    },
    ...{ ground: "#1f1f1f", gutter: "#a3a9b3", active: "#2a2b2c", selection: "#045a52" },
  },
};

export function themeOf(scheme: "light" | "dark"): Extension {
  const colors = palettes[scheme];
  const isDark = scheme === "dark";
  return [
    EditorView.theme(
      {
        "&": {
          backgroundColor: colors.ground,
          fontSize: "13px",
          border: "1px solid var(--mantine-color-default-border)",
        },
        ".cm-gutters": { backgroundColor: colors.ground, color: colors.gutter, border: "none" },
        ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: colors.active },
        "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
          { backgroundColor: colors.selection },
        ".cm-cursor": { borderLeftColor: isDark ? "#fff" : "#000" },
      },
      { dark: isDark },
    ),
    syntaxHighlighting(
      HighlightStyle.define([
        { tag: [tags.keyword, tags.operatorKeyword], color: colors.keyword },
        { tag: [tags.string, tags.special(tags.string), tags.regexp], color: colors.text },
        { tag: [tags.number, tags.bool, tags.null, tags.atom], color: colors.number },
        { tag: [tags.comment], color: colors.comment, fontStyle: "italic" },
        {
          tag: [tags.function(tags.variableName), tags.definition(tags.variableName)],
          color: colors.name,
        },
        { tag: [tags.propertyName, tags.className, tags.typeName], color: colors.name },
      ]),
    ),
  ];
}

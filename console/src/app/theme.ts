import { Alert, createTheme, type MantineColorsTuple } from "@mantine/core";

/** The one accent. */
const isola: MantineColorsTuple = [
  "#e6f7f4",
  "#cdeae5",
  "#9ad5cb",
  "#64bfb0",
  "#38ac9a",
  "#1a9c89",
  "#0c7a6f",
  "#076a60",
  "#045a52",
  "#024942",
];

/** Grounds and lines of the dark theme, from text down to the deepest. */
const dark: MantineColorsTuple = [
  "#d3d6da",
  "#b9bdc3",
  "#888e96",
  "#696f78",
  "#3b4047",
  "#31363c",
  "#22262a",
  "#16181b",
  "#101214",
  "#0b0c0e",
];

export const theme = createTheme({
  primaryColor: "isola",
  primaryShade: 6,
  autoContrast: true,
  colors: { isola, dark },
  defaultRadius: "sm",
  components: {
    Anchor: { defaultProps: { underline: "always" } },
    // Its colour is in the icon and the line: what is said is to be read on every ground.
    Alert: Alert.extend({
      defaultProps: { variant: "default" },
      vars: (_theme, { color = "gray" }) => ({
        root: { "--alert-bd": `1px solid var(--mantine-color-${color}-filled)` },
      }),
    }),
  },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace',
  headings: {
    fontWeight: "600",
    sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1.125rem" } },
  },
});

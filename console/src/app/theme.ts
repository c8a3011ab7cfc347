import { createTheme, type MantineColorsTuple } from "@mantine/core";

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

export const theme = createTheme({
  primaryColor: "isola",
  primaryShade: 6,
  autoContrast: true,
  colors: { isola },
  defaultRadius: "sm",
  components: { Anchor: { defaultProps: { underline: "always" } } },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace',
  headings: {
    fontWeight: "600",
    sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1.125rem" } },
  },
});

/** Stands first in every page that is made of tables in the sources. */
export const notice = "<!-- Made by `npm run fix`; do not edit. -->";

export function table(head: string[], rows: string[]): string {
  return [tableRow(head), tableRow(head.map(() => "---")), ...rows].join("\n");
}

export function tableRow(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

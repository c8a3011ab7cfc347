/** What the name of a project or a function could do to a text that it is written into. */
export const hostileNames: readonly string[] = [
  ...['a"} 1\nisola_invocations_total{function="b', "\\", '\\"', "\\n", "\n", "a,b", "{}"],
  ...["le", "\u2028", "\u{1F600}", "a b", "#", "ä", "\0", "\r", "x".repeat(500), "a", "a "],
];

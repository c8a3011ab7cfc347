/** What has no picture of its own, or turns the direction of writing, as its code point: nothing that code has written hides or moves anything. Tabs and line feeds stay. */
export function visibleText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    if (character === "\n" || character === "\t") return character;
    const code = character.codePointAt(0) as number;
    return `\\u{${code.toString(16)}}`;
  });
}

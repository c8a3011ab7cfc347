import type { Page } from "playwright-core";

/** Puts text into the editor of a file, as a person who selects all and types. */
export async function writeCode(page: Page, path: string, text: string): Promise<void> {
  const editor = page.getByRole("textbox", { name: path, exact: true });
  await editor.click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

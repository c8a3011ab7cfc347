const entities = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** Text that cannot become markup. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities.get(character) ?? character);
}

/** `name`: as the visitor typed it, empty at first. */
export function page(name: string): string {
  return `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Greeting</title>
  <h1>${name ? `Hello, ${escaped(name)}!` : "Who are you?"}</h1>
  <form>
    <label>Name <input name="name" value="${escaped(name)}"></label>
    <button>Greet</button>
  </form>
</html>
`;
}

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text that cannot become markup. */
const escaped = (text) => text.replace(/[&<>"']/g, (character) => entities[character]);

/** `name`: as the visitor typed it, empty at first. */
export const page = (name) => `<!doctype html>
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

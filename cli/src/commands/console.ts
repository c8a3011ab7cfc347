import type { Command } from "../command.ts";

export const consoleCommand: Command = {
  usage: "console",
  summary: "Print a link that signs a browser in to the console, once, within ten minutes",
  json: "`url`, `expiresAt`",
  async run({ client, url, signal }) {
    const { path, expiresAt } = await client.makeSignInLink({ signal });
    const link = url.replace(/\/+$/, "") + path;
    return { json: { url: link, expiresAt }, text: link };
  },
};

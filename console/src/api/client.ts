import { type Client, createClient } from "@isola/api/client";

const clients = new Map<string | undefined, Client>();

/** The API of the server that the page came from, by the session's cookie; calls about what a project owns are about this one. */
export function clientOf(project?: string): Client {
  const known = clients.get(project);
  if (known !== undefined) return known;
  const url = window.location.origin;
  const made = createClient(project === undefined ? { url } : { url, project });
  clients.set(project, made);
  return made;
}

/** For calls about no project. */
export const api = clientOf();

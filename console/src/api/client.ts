import { createClient } from "@isola/api/client";

/** The API of the server that the page came from, by the session's cookie. */
export const api = createClient({ url: window.location.origin });

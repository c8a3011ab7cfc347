const LINK = /^#sign-in=([0-9a-f]{64})$/;

/** The link that the page was opened with; it is taken out of the address, so that it stays in no history. */
export function takeSignInLink(location: Location, history: History): string | null {
  const link = LINK.exec(location.hash)?.[1] ?? null;
  if (link !== null) history.replaceState(null, "", location.pathname + location.search);
  return link;
}

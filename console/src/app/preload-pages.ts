import type { AnyRouter } from "@tanstack/react-router";

/** Once a page is there and nothing else is to be done, the others are fetched, too: then each opens at once, and also while the server does not answer. Editor and charts are fetched when they are needed. */
export function preloadPages(router: AnyRouter): () => void {
  const timer = setTimeout(() => {
    for (const { options } of Object.values(router.routesById)) {
      const { component } = options as { component?: { preload?: () => Promise<void> } };
      // What fails now is fetched when it is gone to.
      void component?.preload?.()?.catch(() => undefined);
    }
  }, AFTER_MS);
  return () => clearTimeout(timer);
}

const AFTER_MS = 2000;

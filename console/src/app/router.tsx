import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { ErrorState } from "../parts/error-state.tsx";
import { NotFoundPage } from "./not-found-page.tsx";
import { Shell } from "./shell.tsx";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    // oxlint-disable-next-line typescript/only-throw-error -- the way of the router to say so
    throw redirect({ to: "/functions" });
  },
});

const functions = createRoute({
  getParentRoute: () => root,
  path: "/functions",
  validateSearch: (search: Record<string, unknown>): { query?: string } =>
    typeof search.query === "string" && search.query !== "" ? { query: search.query } : {},
  component: lazyRouteComponent(
    () => import("../pages/functions/functions-page.tsx"),
    "FunctionsPage",
  ),
});

const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  component: lazyRouteComponent(() => import("../pages/system/system-page.tsx"), "SystemPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([home, functions, system]),
  defaultPreload: "intent",
  defaultErrorComponent: ({ error, reset }) => <ErrorState error={error} onRetry={reset} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

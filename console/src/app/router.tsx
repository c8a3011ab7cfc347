import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import { projectOf } from "../api/project-scope.ts";
import { ErrorState } from "../parts/error-state.tsx";
import { functionSearchOf } from "../pages/functions/function-search.ts";
import { invocationSearchOf } from "../pages/function/invocations/invocation-search.ts";
import { rangeOf } from "../metrics/range.ts";
import { logFilterOf } from "../pages/function/logs/log-filter.ts";
import { NotFoundPage } from "./not-found-page.tsx";
import { Shell } from "./shell.tsx";

/** The project that is looked at goes along from page to page. */
const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFoundPage,
  validateSearch: projectOf,
  search: { middlewares: [retainSearchParams(["project"])] },
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: rangeOf,
  component: lazyRouteComponent(
    () => import("../pages/overview/overview-page.tsx"),
    "OverviewPage",
  ),
});

const functions = createRoute({
  getParentRoute: () => root,
  path: "/functions",
  validateSearch: functionSearchOf,
  component: lazyRouteComponent(
    () => import("../pages/functions/functions-page.tsx"),
    "FunctionsPage",
  ),
});

const newFunction = createRoute({
  getParentRoute: () => root,
  path: "/new",
  component: lazyRouteComponent(
    () => import("../pages/new-function/new-function-page.tsx"),
    "NewFunctionPage",
  ),
});

const oneFunction = createRoute({
  getParentRoute: () => root,
  path: "/functions/$name",
  component: lazyRouteComponent(
    () => import("../pages/function/function-page.tsx"),
    "FunctionPage",
  ),
});

const functionHome = createRoute({
  getParentRoute: () => oneFunction,
  path: "/",
  beforeLoad: ({ params: { name } }) => {
    // oxlint-disable-next-line typescript/only-throw-error -- the way of the router to say so
    throw redirect({ to: "/functions/$name/overview", params: { name }, search: true });
  },
});

const overviewTab = createRoute({
  getParentRoute: () => oneFunction,
  path: "/overview",
  validateSearch: rangeOf,
  component: lazyRouteComponent(
    () => import("../pages/function/overview/overview-tab.tsx"),
    "OverviewTab",
  ),
});

const tryTab = createRoute({
  getParentRoute: () => oneFunction,
  path: "/try",
  component: lazyRouteComponent(() => import("../pages/function/try/try-tab.tsx"), "TryTab"),
});

const codeTab = createRoute({
  getParentRoute: () => oneFunction,
  path: "/code",
  component: lazyRouteComponent(() => import("../pages/function/code/code-tab.tsx"), "CodeTab"),
});

const revisionsTab = createRoute({
  getParentRoute: () => oneFunction,
  path: "/revisions",
  component: lazyRouteComponent(
    () => import("../pages/function/revisions/revisions-tab.tsx"),
    "RevisionsTab",
  ),
});

const invocationsTab = createRoute({
  getParentRoute: () => oneFunction,
  path: "/invocations",
  validateSearch: invocationSearchOf,
  component: lazyRouteComponent(
    () => import("../pages/function/invocations/invocations-tab.tsx"),
    "InvocationsTab",
  ),
});

const schedulesTab = createRoute({
  getParentRoute: () => oneFunction,
  path: "/schedules",
  component: lazyRouteComponent(
    () => import("../pages/function/schedules/schedules-tab.tsx"),
    "SchedulesTab",
  ),
});

const logsTab = createRoute({
  getParentRoute: () => oneFunction,
  path: "/logs",
  validateSearch: logFilterOf,
  component: lazyRouteComponent(() => import("../pages/function/logs/logs-tab.tsx"), "LogsTab"),
});

const settingsTab = createRoute({
  getParentRoute: () => oneFunction,
  path: "/settings",
  component: lazyRouteComponent(
    () => import("../pages/function/settings/settings-tab.tsx"),
    "SettingsTab",
  ),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: "/compare",
  component: lazyRouteComponent(() => import("../pages/compare/compare-page.tsx"), "ComparePage"),
});

const comparison = createRoute({
  getParentRoute: () => root,
  path: "/compare/$id",
  component: lazyRouteComponent(
    () => import("../pages/compare/comparison-page.tsx"),
    "ComparisonPage",
  ),
});

const cost = createRoute({
  getParentRoute: () => root,
  path: "/cost",
  component: lazyRouteComponent(() => import("../pages/cost/cost-page.tsx"), "CostPage"),
});

const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  component: lazyRouteComponent(() => import("../pages/system/system-page.tsx"), "SystemPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    functions,
    newFunction,
    oneFunction.addChildren([
      functionHome,
      overviewTab,
      tryTab,
      codeTab,
      revisionsTab,
      invocationsTab,
      schedulesTab,
      logsTab,
      settingsTab,
    ]),
    compare,
    comparison,
    cost,
    system,
  ]),
  defaultPreload: "intent",
  defaultErrorComponent: ({ error, reset }) => <ErrorState error={error} onRetry={reset} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

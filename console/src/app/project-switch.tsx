import { Badge, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useRouterState } from "@tanstack/react-router";
import { useScope } from "../api/project-scope.ts";
import { queries } from "../api/queries.ts";

/** Pages that can show all projects at once; each other one is about one. */
const ofAll = new Set(["/", "/functions", "/system"]);
const places = ["/functions", "/compare", "/cost", "/system", "/new"] as const;

/** Whose things are shown; it stands in the address. Nothing where there is one project only. */
export function ProjectSwitch() {
  const { project, home } = useScope();
  const projects = useQuery(queries.projects());
  const session = useQuery({ ...queries.session(), enabled: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const navigate = useNavigate();
  const own = session.data?.project ?? null;
  if (own !== null)
    return (
      <Badge variant="default" tt="none" size="lg" title="The key is of this project">
        {own}
      </Badge>
    );
  const names = projects.data?.items.map(({ name }) => name) ?? [];
  if (names.length < 2 && project === undefined) return null;
  const mayBeAll = ofAll.has(path);
  const shown = mayBeAll ? (project ?? "") : home;
  // One that was named in the address is offered, also where the list is too long to have it.
  const offered = shown === "" || names.includes(shown) ? names : [shown, ...names];
  return (
    <NativeSelect
      size="xs"
      aria-label="Project"
      value={shown}
      data={[...(mayBeAll ? [{ value: "", label: "All projects" }] : []), ...offered]}
      onChange={(event) => {
        const next = event.currentTarget.value;
        // What is looked at belongs to the project before: its list is shown instead.
        const place = places.find((each) => path === each || path.startsWith(`${each}/`)) ?? "/";
        void navigate({ to: place, search: { project: next === "" ? undefined : next } });
      }}
    />
  );
}

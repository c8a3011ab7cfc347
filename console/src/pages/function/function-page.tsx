import { Anchor, Code, Group, Skeleton, Tabs } from "@mantine/core";
import type { FunctionView } from "@isola/api/functions";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { useScope } from "../../api/project-scope.ts";
import { visibleText } from "../../format/visible-text.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { DriverName } from "../../parts/driver-name.tsx";
import { ErrorState } from "../../parts/error-state.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { tabs } from "./tabs.ts";

/** One function: what stands above its tabs. */
export function FunctionPage() {
  const { name } = useParams({ from: "/functions/$name" });
  const { queries } = useScope();
  const fn = useQuery(queries.function(name));
  const path = useRouterState({ select: (state) => state.location.pathname });
  const navigate = useNavigate();
  const current = tabs.find(({ path: part }) => path.endsWith(`/${part}`))?.path ?? null;
  if (fn.error !== null && fn.data === undefined)
    return <ErrorState error={fn.error} onRetry={() => void fn.refetch()} />;
  return (
    <>
      <PageHeader
        title={name}
        text={fn.data === undefined ? <Skeleton h={20} w={300} /> : <Head fn={fn.data} />}
      />
      <Tabs
        value={current}
        onChange={(part) => {
          const tab = tabs.find(({ path: each }) => each === part);
          if (tab !== undefined)
            void navigate({
              to: `/functions/$name/${tab.path}`,
              params: { name },
              search: ({ project }) => ({ project }),
            });
        }}
        keepMounted={false}
        mb="md"
      >
        <Tabs.List>
          {tabs.map(({ path: part, label }) => (
            <Tabs.Tab key={part} value={part}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {current !== null && (
          <Tabs.Panel value={current} pt="md">
            <Outlet />
          </Tabs.Panel>
        )}
      </Tabs>
    </>
  );
}

function Head({ fn }: { fn: FunctionView }) {
  return (
    <Group gap="xs" mih={28}>
      <Anchor
        href={fn.url}
        target="_blank"
        rel="noreferrer"
        size="sm"
        style={{ overflowWrap: "anywhere" }}
      >
        {fn.url}
      </Anchor>
      <CopyButton value={fn.url} label="Copy the address" />
      <DriverName name={fn.driver} />
      <Code>{fn.runtime}</Code>
      <span>revision {fn.liveRevision}</span>
      {fn.description !== "" && (
        <span style={{ overflowWrap: "anywhere" }}>{visibleText(fn.description)}</span>
      )}
    </Group>
  );
}

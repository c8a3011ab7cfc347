import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useScope } from "../api/project-scope.ts";

export interface FunctionLinkProps {
  name: string;
  project: string;
  /** Of the page of the function. */
  tab?: "overview" | "invocations";
  /** Further members of the address. */
  search?: Record<string, string>;
}

/** The way to a function; told with its project where the page shows more than one. */
export function FunctionLink({ name, project, tab = "overview", search }: FunctionLinkProps) {
  const { project: shown, home } = useScope();
  const isForeign = shown === undefined && project !== home;
  return (
    <Anchor
      component={Link}
      to={`/functions/$name/${tab}`}
      params={{ name } as never}
      search={{ ...search, ...(isForeign && { project }) } as never}
      size="sm"
      fw={500}
      underline="hover"
    >
      {isForeign && (
        <Text span display="block" size="xs" c="dimmed" lh={1.25}>
          {project} /{" "}
        </Text>
      )}
      {name}
    </Anchor>
  );
}

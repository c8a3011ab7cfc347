import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** Leads to an invocation in full, among those of its function. */
export function InvocationLink({
  name,
  id,
  children,
}: {
  /** Of the function. */
  name: string;
  id: string;
  children: ReactNode;
}) {
  return (
    <Anchor
      component={Link}
      to="/functions/$name/invocations"
      params={{ name } as never}
      search={{ id } as never}
      inherit
    >
      {children}
    </Anchor>
  );
}

import { useRouter } from "@tanstack/react-router";
import type { MouseEvent } from "react";
import type { Scope } from "../api/project-scope.ts";
import classes from "./function-link.module.css";

export interface FunctionLinkProps {
  name: string;
  project: string;
  /** Of the page that the link stands on. */
  scope: Pick<Scope, "project" | "home">;
  /** Of the page of the function. */
  tab?: "overview" | "invocations";
  /** Further members of the address. */
  search?: Record<string, string>;
}

/** The way to a function; told with its project where the page shows more than one. A plain link, of which a list can make many as it is scrolled. */
export function FunctionLink({
  name,
  project,
  scope,
  tab = "overview",
  search,
}: FunctionLinkProps) {
  const router = useRouter();
  const isForeign = scope.project === undefined && project !== scope.home;
  const query = new URLSearchParams(search);
  if (isForeign) query.set("project", project);
  else if (scope.project !== undefined) query.set("project", scope.project);
  const path = `/functions/${encodeURIComponent(name)}/${tab}`;
  const href = query.size === 0 ? path : `${path}?${query.toString()}`;
  const onClick = (event: MouseEvent) => {
    // What a browser opens in another tab or window stays its own.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    router.history.push(href);
  };
  return (
    <a className={classes.link} href={href} onClick={onClick}>
      {isForeign && <span className={classes.project}>{project} / </span>}
      {name}
    </a>
  );
}

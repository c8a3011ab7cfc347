/** Tabs of a function, in order; each is a page of its own below its path. */
export const tabs = [
  { path: "overview", label: "Overview" },
  { path: "try", label: "Try" },
  { path: "code", label: "Code" },
  { path: "revisions", label: "Revisions" },
  { path: "invocations", label: "Invocations" },
  { path: "schedules", label: "Schedules" },
  { path: "logs", label: "Logs" },
  { path: "settings", label: "Settings" },
] as const;

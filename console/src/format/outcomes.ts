/** The same colour means the same thing on every page and in every chart. */
export const outcomeColors: Readonly<Record<string, string>> = {
  ok: "#1a9c89",
  function_error: "#e8590c",
  timeout: "#f08c00",
  crash: "#c2255c",
  out_of_memory: "#9c36b5",
  cancelled: "#868e96",
  platform_error: "#e03131",
};

export const outcomeWords: Readonly<Record<string, string>> = {
  ok: "ok",
  function_error: "function error",
  timeout: "timeout",
  crash: "crash",
  out_of_memory: "out of memory",
  cancelled: "cancelled",
  platform_error: "platform error",
};

export const driverColors: Readonly<Record<string, string>> = {
  process: "#228be6",
  docker: "#1a9c89",
  gvisor: "#e8590c",
  microvm: "#9c36b5",
};

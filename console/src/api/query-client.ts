import { ApiError } from "@isola/api/api-error";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { afterFailure, mayPass } from "./refresh.ts";

const RETRIES_MAX = 2;

/** The session has ended: the gate asks again who is there, and asks to sign in. */
function onError(error: unknown): void {
  const isSignedIn = queryClient.getQueryData(["session"]) !== undefined;
  if (isSignedIn && error instanceof ApiError && error.status === 401)
    void queryClient.invalidateQueries({ queryKey: ["session"] });
}

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < RETRIES_MAX && mayPass(error),
      staleTime: 2000,
      refetchOnWindowFocus: true,
      refetchInterval: afterFailure,
      // A machine without a network still has the server that runs on it.
      networkMode: "always",
    },
    mutations: { retry: false, networkMode: "always" },
  },
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.queryKey[0] !== "session") onError(error);
    },
  }),
  mutationCache: new MutationCache({ onError }),
});

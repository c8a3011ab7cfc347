import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "@isola/api/api-error";

const RETRIES_MAX = 2;

/** Asks once more where the server may be better off the next time; never where it has said no. */
function mayHelp(failures: number, error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return failures < RETRIES_MAX && (error.status === 0 || error.status >= 500);
}

/** The session has ended: the gate asks again who is there, and shows the sign-in page. */
function onError(error: unknown): void {
  const isSignedIn = queryClient.getQueryData(["session"]) !== undefined;
  if (isSignedIn && error instanceof ApiError && error.status === 401)
    void queryClient.resetQueries({ queryKey: ["session"] });
}

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: mayHelp, staleTime: 2000, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.queryKey[0] !== "session") onError(error);
    },
  }),
  mutationCache: new MutationCache({ onError }),
});

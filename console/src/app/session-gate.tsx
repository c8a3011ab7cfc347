import { Center, Loader } from "@mantine/core";
import { ApiError } from "@isola/api/api-error";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../api/queries.ts";
import { SignInPage } from "../pages/sign-in/sign-in-page.tsx";
import { ErrorState } from "../parts/error-state.tsx";

/** Shows the console to who is signed in, and the sign-in page to others. */
export function SessionGate({ children }: { children: ReactNode }) {
  const session = useQuery(queries.session());
  if (session.data !== undefined) return children;
  if (session.error instanceof ApiError && session.error.status === 401) return <SignInPage />;
  if (session.error !== null)
    return <ErrorState error={session.error} onRetry={() => void session.refetch()} />;
  return (
    <Center h="100vh">
      <Loader aria-label="Loading" />
    </Center>
  );
}

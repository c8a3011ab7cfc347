import { Box, Center, Loader, Modal } from "@mantine/core";
import { ApiError } from "@isola/api/api-error";
import type { SessionView } from "@isola/api/sessions";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../api/queries.ts";
import { SignInForm } from "../pages/sign-in/sign-in-form.tsx";
import { SignInPage } from "../pages/sign-in/sign-in-page.tsx";
import { ErrorState } from "../parts/error-state.tsx";

/** Shows the console to who is signed in, and the sign-in page to others. Where a session ends, the page stays with what was typed into it, and asks to sign in again. */
export function SessionGate({ children }: { children: ReactNode }) {
  const session = useQuery(queries.session());
  const isUnknown = session.error instanceof ApiError && session.error.status === 401;
  if (session.data !== undefined)
    return (
      <>
        {children}
        <SessionEnded session={session.data} isOpen={isUnknown} />
      </>
    );
  if (isUnknown) return <SignInPage />;
  if (session.error !== null)
    return (
      <Box p="md">
        <ErrorState error={session.error} onRetry={() => void session.refetch()} />
      </Box>
    );
  return (
    <Center h="100vh">
      <Loader aria-label="Loading" />
    </Center>
  );
}

function SessionEnded({ session, isOpen }: { session: SessionView; isOpen: boolean }) {
  const client = useQueryClient();
  const onSignedIn = ({ keyId }: SessionView) => {
    // What one key may see is not left for another.
    if (keyId === session.keyId) void client.invalidateQueries();
    else window.location.reload();
  };
  return (
    <Modal
      opened={isOpen}
      onClose={() => {}}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      centered
      title="Your session has ended"
    >
      <SignInForm
        text="Sign in again to go on: what you typed on this page is still there."
        onSignedIn={onSignedIn}
      />
    </Modal>
  );
}

import { Affix, Alert, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { CloudOff, Hourglass } from "lucide-react";
import { useEffect, useState } from "react";
import { clockTime } from "../format/time.ts";
import classes from "./connection-notice.module.css";
import { mayPass } from "../api/refresh.ts";
import { type Connection, connectionOf } from "./connection.ts";

const LOOK_MS = 1000;

/** Says where the server does not answer, or is slow to; over the page, so that nothing moves. What is shown stays, and is brought up to date once it answers. */
export function ConnectionNotice() {
  const client = useQueryClient();
  const [connection, setConnection] = useState<Connection>({ state: "good" });
  useEffect(() => {
    const begun = new Map<string, number>();
    const look = () => {
      const queries = client
        .getQueryCache()
        .getAll()
        .filter((query) => query.isActive())
        .map(({ queryHash, state }) => ({
          id: queryHash,
          isAsking: state.fetchStatus === "fetching",
          isFailing: mayPass(state.error) || mayPass(state.fetchFailureReason),
          shownAt: state.dataUpdatedAt,
        }));
      setConnection((before) => connectionOf(queries, { begun, nowMs: Date.now(), before }));
    };
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [client]);
  if (connection.state === "good") return null;
  const isDown = connection.state === "down";
  return (
    <Affix position={{ bottom: 16, right: 16 }} maw="min(420px, calc(100vw - 32px))">
      <Alert
        color="orange"
        className={classes.notice}
        role="status"
        icon={isDown ? <CloudOff aria-hidden /> : <Hourglass aria-hidden />}
        title={isDown ? "The server does not answer" : "The server is slow to answer"}
      >
        <Text size="sm">
          {isDown
            ? "It is asked again every few seconds, and the page goes on by itself. Nothing that you typed is lost. On its machine its log says why."
            : "Still waiting; nothing has to be done."}
          {connection.shownAt > 0 &&
            ` What you see is of ${clockTime(new Date(connection.shownAt).toISOString()).slice(0, 8)}.`}
        </Text>
      </Alert>
    </Affix>
  );
}

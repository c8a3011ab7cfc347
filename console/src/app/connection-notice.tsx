import { Affix, Text } from "@mantine/core";
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
  const Icon = isDown ? CloudOff : Hourglass;
  return (
    <Affix position={{ bottom: 0, left: 0, right: 0 }}>
      <div className={classes.notice} role="status">
        <Icon size={18} aria-hidden />
        <Text size="sm">
          <b>{isDown ? "The server does not answer." : "The server is slow to answer."}</b>{" "}
          {isDown
            ? "It is asked again every few seconds, and the page goes on by itself; what you typed stays."
            : "Nothing has to be done."}
          {connection.shownAt > 0 &&
            ` What you see is of ${clockTime(new Date(connection.shownAt).toISOString()).slice(0, 8)}.`}
        </Text>
      </div>
    </Affix>
  );
}

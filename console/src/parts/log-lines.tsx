import { Anchor, Box, Text } from "@mantine/core";
import type { LogView } from "@isola/api/logs";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { clockTime } from "../format/time.ts";
import { visibleText } from "../format/visible-text.ts";
import classes from "./log-lines.module.css";

export type LogLine = Pick<
  LogView,
  "at" | "stream" | "level" | "text" | "truncated" | "invocationId"
> & {
  id?: string;
};

export interface LogLinesProps {
  lines: readonly LogLine[];
  label: string;
  /** Name of the function, where each line leads to its invocation. */
  ofInvocation?: string;
  /** The newest line stays in sight, unless somebody has scrolled away from it. */
  isFollowed?: boolean;
}

const NEAR_PX = 40;

/** Lines that code has written: text, whatever stands in it. */
export function LogLines({ lines, label, ofInvocation, isFollowed = false }: LogLinesProps) {
  const place = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const box = place.current;
    if (isFollowed && isAtEnd.current && lines.length > 0 && box !== null)
      box.scrollTop = box.scrollHeight;
  }, [lines, isFollowed]);
  return (
    <Box
      ref={place}
      className={classes.lines}
      role="log"
      aria-label={label}
      tabIndex={0}
      onScroll={({ currentTarget: box }) => {
        isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
      }}
    >
      {lines.map((line, at) => (
        <div key={line.id ?? at} className={classes.line} data-level={line.level}>
          <time dateTime={line.at} className={classes.at}>
            {clockTime(line.at)}
          </time>
          <span className={classes.level}>{line.level === "none" ? line.stream : line.level}</span>
          <span className={classes.text}>
            {visibleText(line.text)}
            {line.truncated && (
              <Text span size="xs" c="dimmed">
                {" "}
                (cut)
              </Text>
            )}
            {ofInvocation !== undefined && line.invocationId !== null && (
              <Anchor
                component={Link}
                to="/functions/$name/invocations"
                params={{ name: ofInvocation } as never}
                search={{ id: line.invocationId } as never}
                size="xs"
                ml="xs"
                title={line.invocationId}
                aria-label={`Invocation ${line.invocationId.slice(-6)}`}
              >
                {line.invocationId.slice(-6)}
              </Anchor>
            )}
          </span>
        </div>
      ))}
    </Box>
  );
}

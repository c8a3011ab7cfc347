import { Box, Text } from "@mantine/core";
import type { LogView } from "@isola/api/logs";
import { clockTime } from "../format/time.ts";
import { visibleText } from "../format/visible-text.ts";
import classes from "./log-lines.module.css";

export type LogLine = Pick<LogView, "at" | "stream" | "level" | "text" | "truncated">;

/** Lines that code has written: text, whatever stands in it. */
export function LogLines({ lines, label }: { lines: readonly LogLine[]; label: string }) {
  return (
    <Box className={classes.lines} role="log" aria-label={label} tabIndex={0}>
      {lines.map((line, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- lines have no names, and never move
        <div key={at} className={classes.line} data-level={line.level}>
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
          </span>
        </div>
      ))}
    </Box>
  );
}

import { Stack, Text } from "@mantine/core";
import { duration } from "../format/units.ts";
import classes from "./waterfall.module.css";

/** Times of one invocation, as the API tells them: null where there was no such phase. */
export interface Phases {
  queueMs: number;
  startMs: number | null;
  initMs: number | null;
  runMs: number | null;
}

const names = [
  ["queueMs", "queue"],
  ["startMs", "start"],
  ["initMs", "init"],
  ["runMs", "run"],
] as const;

/** Where the time went: one bar for each phase, one after the other. */
export function Waterfall({ phases, startKind }: { phases: Phases; startKind: string | null }) {
  const total = names.reduce((sum, [key]) => sum + (phases[key] ?? 0), 0);
  let before = 0;
  return (
    <Stack gap={4}>
      <Text size="sm">
        {duration(total)} in all{startKind !== null && `, ${startKind} start`}
      </Text>
      <div className={classes.bars} role="table" aria-label="Phases of the invocation">
        {names.map(([key, name]) => {
          const ms = phases[key];
          const left = total === 0 ? 0 : (before / total) * 100;
          const width = total === 0 ? 0 : ((ms ?? 0) / total) * 100;
          before += ms ?? 0;
          return (
            <div key={key} className={classes.row} role="row">
              <span role="rowheader">{name}</span>
              <span className={classes.track} role="cell" aria-hidden>
                <span
                  className={classes.bar}
                  data-phase={name}
                  style={{ marginLeft: `${left}%`, width: `max(${width}%, ${ms ? 2 : 0}px)` }}
                />
              </span>
              <span className={classes.value} role="cell">
                {ms === null ? "none" : duration(ms)}
              </span>
            </div>
          );
        })}
      </div>
    </Stack>
  );
}

import { Badge } from "@mantine/core";
import classes from "./dot.module.css";

/** A word of a few, told apart by colour, too. */
export function DotBadge({ color, children }: { color: string; children: string }) {
  return (
    <Badge
      tt="none"
      variant="default"
      leftSection={<span className={classes.dot} style={{ background: color }} aria-hidden />}
    >
      {children}
    </Badge>
  );
}

import { Group, Text } from "@mantine/core";
import { driverColors } from "../format/outcomes.ts";
import classes from "./dot.module.css";

/** A driver, with the colour that it has in every chart. */
export function DriverName({ name }: { name: string }) {
  return (
    <Group
      gap={6}
      wrap="nowrap"
      component="span"
      display="inline-flex"
      style={{ verticalAlign: "middle" }}
    >
      <span
        className={classes.dot}
        style={{ background: driverColors[name] ?? "#868e96" }}
        aria-hidden
      />
      <Text span size="sm" style={{ whiteSpace: "nowrap" }}>
        {name}
      </Text>
    </Group>
  );
}

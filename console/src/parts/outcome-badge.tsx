import { Badge } from "@mantine/core";
import { outcomeColors, outcomeWords } from "../format/outcomes.ts";

export function OutcomeBadge({ outcome }: { outcome: string }) {
  return (
    <Badge
      tt="none"
      variant="default"
      leftSection={<Dot color={outcomeColors[outcome] ?? "#868e96"} />}
    >
      {outcomeWords[outcome] ?? outcome}
    </Badge>
  );
}

function Dot({ color }: { color: string }) {
  return (
    <span
      aria-hidden
      style={{ display: "inline-block", width: 8, height: 8, borderRadius: 4, background: color }}
    />
  );
}

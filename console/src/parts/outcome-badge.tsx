import { outcomeColors, outcomeWords } from "../format/outcomes.ts";
import { DotBadge } from "./dot-badge.tsx";

export function OutcomeBadge({ outcome }: { outcome: string }) {
  return (
    <DotBadge color={outcomeColors[outcome] ?? "#868e96"}>
      {outcomeWords[outcome] ?? outcome}
    </DotBadge>
  );
}

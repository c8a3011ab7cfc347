import { Badge } from "@mantine/core";

/** A word of a few, told apart by colour, too. */
export function DotBadge({ color, children }: { color: string; children: string }) {
  return (
    <Badge
      tt="none"
      variant="default"
      leftSection={
        <span
          aria-hidden
          style={{
            display: "inline-block",
            width: 8,
            height: 8,
            borderRadius: 4,
            background: color,
          }}
        />
      }
    >
      {children}
    </Badge>
  );
}

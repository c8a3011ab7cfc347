import { Code, ScrollArea } from "@mantine/core";
import { useEffect, useRef } from "react";
import { visibleText } from "../format/visible-text.ts";

/** What a build writes, as it comes; the last line is in sight. */
export function BuildOutput({ lines }: { lines: readonly string[] }) {
  const viewport = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = viewport.current;
    if (lines.length > 0 && place !== null) place.scrollTop = place.scrollHeight;
  }, [lines]);
  if (lines.length === 0) return null;
  return (
    <ScrollArea.Autosize mah={300} viewportRef={viewport} viewportProps={{ tabIndex: 0 }}>
      <Code block role="log" aria-label="Output of the build" style={{ whiteSpace: "pre-wrap" }}>
        {lines.map(visibleText).join("\n")}
      </Code>
    </ScrollArea.Autosize>
  );
}

import { Boxes, type LucideIcon, ServerCog } from "lucide-react";

export interface Place {
  to: "/functions" | "/system";
  label: string;
  icon: LucideIcon;
}

/** Pages of the side bar, in order. */
export const places: readonly Place[] = [
  { to: "/functions", label: "Functions", icon: Boxes },
  { to: "/system", label: "System", icon: ServerCog },
];

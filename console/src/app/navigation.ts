import { Boxes, Coins, Gauge, type LucideIcon, Scale, ServerCog } from "lucide-react";

export interface Place {
  to: "/" | "/functions" | "/compare" | "/cost" | "/system";
  label: string;
  icon: LucideIcon;
}

/** Pages of the side bar, in order. */
export const places: readonly Place[] = [
  { to: "/", label: "Overview", icon: Gauge },
  { to: "/functions", label: "Functions", icon: Boxes },
  { to: "/compare", label: "Compare", icon: Scale },
  { to: "/cost", label: "Cost", icon: Coins },
  { to: "/system", label: "System", icon: ServerCog },
];

import type { Profile } from "./profile.ts";
import type { Random } from "./random.ts";
import type { SimulatedLoop } from "./simulated-loop.ts";
import type { Watch } from "./watch.ts";

/** What everything simulated is made of. `profile` changes when the world calms down. */
export interface Nature {
  readonly loop: SimulatedLoop;
  readonly random: Random;
  readonly watch: Watch;
  profile: Profile;
}

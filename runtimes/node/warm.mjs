/** A host that has code waiting sends it at once; one that keeps the sandbox blank gives the time for the rest. */
const WAIT_MS = 20;

/**
 * Loads what functions of every kind need, while the sandbox is blank. Ends early as soon as it is not blank any more.
 * @param {() => boolean} isBlank @param {import("./logs.mjs").Logs} logs
 */
export function warmUp(isBlank, logs) {
  const steps = stepsOf(isBlank, logs);
  const next = async () => {
    const step = steps.shift();
    if (step === undefined || !isBlank()) return;
    await attempt(step);
    setTimeout(() => void next(), 1);
  };
  setTimeout(() => void next(), WAIT_MS);
}

/** The same at once and to its end, where no host can be heard yet. @param {import("./logs.mjs").Logs} logs */
export async function warmWhole(logs) {
  const { rehearseControl } = await import("./rehearsal.mjs");
  for (const step of [...stepsOf(() => true, logs), rehearseControl]) await attempt(step);
}

/** @param {() => boolean} isBlank @param {import("./logs.mjs").Logs} logs @returns {(() => unknown)[]} */
function stepsOf(isBlank, logs) {
  return [
    // The first use of a web class loads all of them, which takes tens of milliseconds.
    () => void globalThis.Request,
    () => import("./lambda-stream.mjs"),
    // Loading leaves several MiB of garbage. Before the rehearsal, as it forgets compiled code.
    async () => {
      const { collectGarbage } = await import("./collect.mjs");
      if (isBlank()) collectGarbage();
    },
    async () => {
      const { rehearse } = await import("./rehearsal.mjs");
      if (isBlank()) await rehearse(logs);
    },
  ];
}

/** @param {() => unknown} step */
async function attempt(step) {
  try {
    await step();
  } catch {
    // Warm or not, the sandbox works: where there is no folder to write to, for one, the rehearsal cannot take place.
  }
}

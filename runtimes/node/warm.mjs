/** A host that has code waiting sends it at once; one that keeps the sandbox blank gives the time for the rest. */
const WAIT_MS = 20;

/**
 * Loads what functions of every kind need, while the sandbox is blank. Ends early as soon as it is not blank any more.
 * @param {() => boolean} isBlank
 */
export function warmUp(isBlank) {
  const steps = [
    () => import("./lambda.mjs"),
    () => import("./fetch.mjs"),
    () => import("./lambda-stream.mjs"),
    // The first use of a web class loads all of them, which takes tens of milliseconds.
    () => void new Request("http://localhost/", { signal: new AbortController().signal }),
    () => void new Response("").headers,
  ];
  const next = () => {
    const step = steps.shift();
    if (step === undefined || !isBlank()) return;
    step();
    setTimeout(next, 1);
  };
  setTimeout(next, WAIT_MS);
}

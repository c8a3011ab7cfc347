/** Cases of the suite where not all are run: what a sandbox with a kernel of its own may do that a process does not, and what is done about it from outside. */
export const chosen = [
  "function that spins is answered",
  "function that spins in all threads",
  "function that catches every signal",
  "function that blocks all signals and sleeps",
  "function that stops itself",
  "function that forks without end",
  "answer that goes on for ever",
  "init that spins",
  "gateway that is stopped",
  "gateway that is killed",
];

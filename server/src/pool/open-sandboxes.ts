import type { PooledSandbox } from "./pooled-sandbox.ts";

/**
 * The sandboxes of a pool that have room for one more call. Those with fewer than `target` calls come first, the most recently used before the others, so that what
 * is not needed becomes idle; the others, up to `concurrency`, only where there are none of these.
 */
export class OpenSandboxes {
  readonly #target: number;
  readonly #concurrency: number;
  /** Below the target, most recently listed last. */
  readonly #preferred: PooledSandbox[] = [];
  readonly #spare: PooledSandbox[] = [];

  constructor(target: number, concurrency: number) {
    this.#target = target;
    this.#concurrency = concurrency;
  }

  /** Where the next call goes. */
  next(): PooledSandbox | undefined {
    return this.#preferred.at(-1) ?? this.#spare.at(-1);
  }

  /** Those that may be idle. */
  preferred(): readonly PooledSandbox[] {
    return this.#preferred;
  }

  /** It has one call more. */
  entered(sandbox: PooledSandbox): void {
    const { running } = sandbox;
    if (running < this.#target || !sandbox.isListed) return;
    if (running === this.#target) takeOut(this.#preferred, sandbox);
    if (running >= this.#concurrency) {
      if (running > this.#target) takeOut(this.#spare, sandbox);
      sandbox.isListed = false;
    } else if (running === this.#target) this.#spare.push(sandbox);
  }

  /** It has room, and perhaps one call less than before. */
  list(sandbox: PooledSandbox): void {
    const { running } = sandbox;
    const isBackBelow = running === this.#target - 1;
    if (sandbox.isListed && !(isBackBelow && takeOut(this.#spare, sandbox))) return;
    sandbox.isListed = true;
    if (running < this.#target) this.#preferred.push(sandbox);
    else this.#spare.push(sandbox);
  }

  remove(sandbox: PooledSandbox): void {
    if (!sandbox.isListed) return;
    sandbox.isListed = false;
    if (!takeOut(this.#preferred, sandbox)) takeOut(this.#spare, sandbox);
  }
}

/** False where it is not there. */
function takeOut(list: PooledSandbox[], sandbox: PooledSandbox): boolean {
  if (list.at(-1) === sandbox) {
    list.pop();
    return true;
  }
  const at = list.indexOf(sandbox);
  if (at === -1) return false;
  list.splice(at, 1);
  return true;
}

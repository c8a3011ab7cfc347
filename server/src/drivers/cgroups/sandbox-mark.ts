import assert from "node:assert/strict";

const PART = /^[A-Za-z0-9_-]{1,64}$/;
const VARIABLE = "ISOLA_SANDBOX=";

/** The name by which cgroups and processes of a sandbox are recognised, also by a later life: `isola.<node>.<boot>.<sandbox>`. */
export interface SandboxMarks {
  of(sandboxId: string): string;
  /** The name of one of this life's sandboxes, or of an earlier life of this node; null for everything else. */
  lifeOf(text: string): "this" | "earlier" | null;
}

export function sandboxMarks(nodeId: string, bootId: string): SandboxMarks {
  assert(PART.test(nodeId) && PART.test(bootId), "node and boot id are made of A-Za-z0-9_-");
  const node = `isola.${nodeId}.`;
  const boot = `${node}${bootId}.`;
  return {
    of(sandboxId) {
      assert(PART.test(sandboxId), "sandbox ids are made of A-Za-z0-9_-");
      return boot + sandboxId;
    },
    lifeOf(text) {
      const mark = text.startsWith(VARIABLE) ? text.slice(VARIABLE.length) : text;
      if (
        !mark.startsWith(node) ||
        !mark
          .split(".")
          .slice(1)
          .every((part) => PART.test(part))
      )
        return null;
      return mark.startsWith(boot) ? "this" : "earlier";
    },
  };
}

/** The mark as it stands in an environment, where there is no other place for it. */
export function markText(mark: string): string {
  return VARIABLE + mark;
}

export function markVariable(mark: string): Record<string, string> {
  return { ISOLA_SANDBOX: mark };
}

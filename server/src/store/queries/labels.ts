import type { Transaction } from "kysely";
import type { DeploymentTables } from "../tables.ts";

type Trx = Transaction<DeploymentTables>;

export async function insertLabels(
  trx: Trx,
  project: string,
  functionId: string,
  labels: Record<string, string>,
): Promise<void> {
  const rows = Object.entries(labels).map(([key, value]) => ({
    function_id: functionId,
    project,
    label_key: key,
    label_value: value,
  }));
  if (rows.length === 0) return;
  await trx.insertInto("function_labels").values(rows).execute();
}

export async function replaceLabels(
  trx: Trx,
  project: string,
  functionId: string,
  labels: Record<string, string>,
): Promise<void> {
  await trx.deleteFrom("function_labels").where("function_id", "=", functionId).execute();
  await insertLabels(trx, project, functionId, labels);
}

/** `key` or `key=value`; the value begins after the first `=`. */
export function parseLabelFilter(text: string): { key: string; value?: string } {
  const at = text.indexOf("=");
  return at < 0 ? { key: text } : { key: text.slice(0, at), value: text.slice(at + 1) };
}

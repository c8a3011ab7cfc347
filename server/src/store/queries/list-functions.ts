import { sql, type Kysely, type SelectQueryBuilder, type Selectable } from "kysely";
import { decodeCursor, encodeCursor, toPage } from "../cursor.ts";
import type { Page } from "../page.ts";
import type { FunctionQuery, FunctionRow, RevisionRow } from "../store.ts";
import { LIVE, type DeploymentTables } from "../tables.ts";
import { parseLabelFilter } from "./labels.ts";
import { assertPageLimit, toFunctionRow, toRevisionRow } from "./rows.ts";

type Db = Kysely<DeploymentTables>;
type Found = SelectQueryBuilder<DeploymentTables, "functions", Record<never, never>>;
type FunctionColumns = Selectable<DeploymentTables["functions"]>;

const sortColumns = { name: "name", updatedAt: "updated_at", createdAt: "created_at" } as const;

/** Two steps, so that the first walks one index in order and the second reads by primary key. */
export async function listFunctions(
  db: Db,
  query: FunctionQuery,
): Promise<Page<FunctionRow & { live: RevisionRow }>> {
  assertPageLimit(query.limit);
  const { project } = query;
  let select: Found = db.selectFrom("functions");
  if (project !== null) select = select.where("functions.project", "=", project);
  if (query.query) select = withText(select, query.query);
  for (const label of query.labels ?? []) select = withLabel(select, project, label);
  const rows = await inOrder(select, query)
    .selectAll("functions")
    .limit(query.limit + 1)
    .execute();
  const page = toPage(rows, query.limit, (last) => cursorAfter(last, query));
  const live = await liveRevisions(db, page.items);
  return { items: page.items.map((row) => live(row)), nextCursor: page.nextCursor };
}

function withText(select: Found, text: string): Found {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
  return select.where((eb) =>
    eb.or([
      sql<boolean>`lower(functions.name) like ${pattern} escape '\\'`,
      sql<boolean>`lower(functions.description) like ${pattern} escape '\\'`,
    ]),
  );
}

function withLabel(select: Found, project: string | null, label: string): Found {
  const { key, value } = parseLabelFilter(label);
  return select.where("functions.id", "in", (eb) =>
    eb
      .selectFrom("function_labels")
      .select("function_labels.function_id")
      .where("label_key", "=", key)
      .$if(project !== null, (labels) => labels.where("function_labels.project", "=", project))
      .$if(value !== undefined, (labels) => labels.where("label_value", "=", value as string)),
  );
}

function inOrder(select: Found, query: FunctionQuery): Found {
  const { column, direction, isAfter } = sortOf(query.sort);
  const isUnique = column === "name" && query.project !== null;
  const ordered = select
    .orderBy(`functions.${column}`, direction)
    .$if(!isUnique, (rows) => rows.orderBy("functions.id", direction));
  if (query.cursor === undefined) return ordered;
  if (isUnique) {
    const [name] = decodeCursor(query.cursor, query.sort, ["string"]);
    return ordered.where("functions.name", isAfter, name);
  }
  const kinds = [column === "name" ? "string" : "number", "string"] as const;
  const [at, id] = decodeCursor(query.cursor, query.sort, kinds);
  return ordered.where((eb) =>
    eb(eb.refTuple(`functions.${column}`, "functions.id"), isAfter, eb.tuple(at, id)),
  );
}

/** In one project a name is enough. */
function cursorAfter(row: FunctionColumns, { sort, project }: FunctionQuery): string {
  const { column } = sortOf(sort);
  const isUnique = column === "name" && project !== null;
  return encodeCursor(sort, isUnique ? [row.name] : [row[column], row.id]);
}

function sortOf(sort: FunctionQuery["sort"]) {
  const isDescending = sort.startsWith("-");
  return {
    column: sortColumns[sort.replace("-", "") as keyof typeof sortColumns],
    direction: isDescending ? ("desc" as const) : ("asc" as const),
    isAfter: isDescending ? ("<" as const) : (">" as const),
  };
}

async function liveRevisions(db: Db, functions: FunctionColumns[]) {
  const ids = functions.map((row) => row.id);
  const rows =
    ids.length === 0
      ? []
      : await db
          .selectFrom("aliases")
          .innerJoin("revisions", (join) =>
            join
              .onRef("revisions.function_id", "=", "aliases.function_id")
              .onRef("revisions.revision", "=", "aliases.revision"),
          )
          .where("aliases.name", "=", LIVE)
          .where("aliases.function_id", "in", ids)
          .selectAll("revisions")
          .execute();
  const byFunction = new Map(rows.map((row) => [row.function_id, toRevisionRow(row)]));
  return (row: FunctionColumns) => {
    const live = byFunction.get(row.id) as RevisionRow;
    return { ...toFunctionRow({ ...row, live_revision: live.revision }), live };
  };
}

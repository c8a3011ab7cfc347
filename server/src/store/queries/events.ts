import type { Insertable, Kysely, SelectQueryBuilder, Selectable } from "kysely";
import { type EventKind, type PlatformEvent, eventKinds } from "../../domain/events.ts";
import type { Arrived, EventFilter, EventQuery, StoredEvent } from "../store.ts";
import type { RecordTables } from "../tables.ts";
import { insertMany } from "./insert-many.ts";
import { type PlacedPage, inOrder, readPlaced } from "./placed-pages.ts";

type Db = Kysely<RecordTables>;
type Select = SelectQueryBuilder<Pick<RecordTables, "events">, "events", Record<never, never>>;

/** In order of arrival, with the numbers they got. */
export async function insertEvents(db: Db, events: PlatformEvent[]): Promise<StoredEvent[]> {
  const numbers: number[] = [];
  await insertMany(events.map(fromEvent), async (rows) => {
    const made = await db.insertInto("events").values(rows).returning("seq").execute();
    numbers.push(...made.map(({ seq }) => Number(seq)));
  });
  numbers.sort((a, b) => a - b);
  return events.map((event, at) => ({ ...event, seq: numbers[at] as number }));
}

/** In order of time, events of one moment in order of arrival. */
export async function listEvents(db: Db, query: EventQuery): Promise<PlacedPage<StoredEvent>> {
  const page = await readPlaced(query, {
    placeBehind: async (after, rows) => {
      const select = inOrder(indexed(db.selectFrom("events"), query), query, { after });
      const behind = select
        .select(["at", "seq"])
        .offset(rows - 1)
        .limit(1);
      return (await behind.executeTakeFirst()) ?? null;
    },
    rows: (after, upTo, rows) => {
      const select = inOrder(matching(db.selectFrom("events"), query), query, { after, upTo });
      return select.selectAll().limit(rows).execute();
    },
    isWanted: () => true,
    isWhole: false,
  });
  return { ...page, items: page.items.map(toEvent) };
}

/** What arrived after the event with the number `seq`, in order of arrival; of so many events before the last one at most. */
export async function eventsBehind(
  db: Db,
  filter: EventFilter,
  { seq, eventsMax }: { seq: number; eventsMax: number },
): Promise<Arrived<StoredEvent>> {
  const newest = await db
    .selectFrom("events")
    .select((eb) => eb.fn.max("seq").as("seq"))
    .executeTakeFirst();
  const last = Math.max(seq, Number(newest?.seq ?? 0));
  const from = Math.max(seq, last - eventsMax);
  const recent = db.selectFrom(
    db
      .selectFrom("events")
      .selectAll()
      .where("seq", ">", from)
      .where("seq", "<=", last)
      .orderBy("seq")
      .limit(eventsMax)
      .as("events"),
  );
  const rows = await matching(recent, filter).selectAll().orderBy("seq").execute();
  return { items: rows.map(toEvent), last, passedOver: from - seq };
}

/** What an index finds. */
function indexed(all: Select, { project, functionName, since, until }: EventFilter): Select {
  let select = all;
  if (functionName !== undefined)
    select = select
      .$if(project !== null, (all) => all.where("project", "=", project))
      .where("function_name", "=", functionName);
  if (since !== undefined) select = select.where("at", ">=", since);
  if (until !== undefined) select = select.where("at", "<", until);
  return select;
}

/** Kinds that this version does not know are left out: it cannot tell what they mean. */
function matching(all: Select, filter: EventFilter): Select {
  const { project, isItsOwn = false, kinds = eventKinds } = filter;
  const select = indexed(all, filter).where("kind", "in", kinds);
  if (project === null) return select;
  if (isItsOwn) return select.where("project", "=", project);
  return select.where((eb) => eb.or([eb("project", "=", project), eb("project", "is", null)]));
}

function fromEvent(event: PlatformEvent): Insertable<RecordTables["events"]> {
  const { kind, at, project, functionName, fields } = event;
  return { kind, at, project, function_name: functionName, fields: JSON.stringify(fields) };
}

function toEvent(row: Selectable<RecordTables["events"]>): StoredEvent {
  return {
    seq: Number(row.seq),
    kind: row.kind as EventKind,
    at: row.at,
    project: row.project,
    functionName: row.function_name,
    fields: JSON.parse(row.fields),
  };
}

import type { CreateTableBuilder, Kysely } from "kysely";

/** What differs between engines when tables are made. */
export interface SchemaEngine {
  /** The type of a column of bytes. */
  readonly bytes: "blob" | "bytea";
  /** Adds a primary key that numbers rows in the order they are inserted and never gives a number twice. */
  addSequence<Table extends string>(
    table: CreateTableBuilder<Table, never>,
    name: string,
  ): CreateTableBuilder<Table, never>;
  /** Lays the rows of a table in the order of its primary key, where the engine can. */
  inOrderOfKey<Table extends string, Column extends string>(
    table: CreateTableBuilder<Table, Column>,
  ): CreateTableBuilder<Table, Column>;
}

/** One step of the schema. Once released it never changes; a later step mends it. */
export interface Migration {
  /** `0001-deployments` */
  name: string;
  /** Runs inside a transaction. */
  up(db: Kysely<unknown>, engine: SchemaEngine): Promise<void>;
}

import { setImmediate } from "node:timers/promises";
import type { Compilable, CompiledQuery, Kysely } from "kysely";

/** Rows of one statement, most first; what is left over goes in smaller ones, so that few texts are ever made. */
const PIECES = [256, 32, 4, 1];
/** Between two turns of the event loop. */
const ROWS_AT_ONCE = 1024;

/**
 * A statement that writes many rows at once, for where the making of its text takes longer than its run: the text is made once for each size of piece, and then only given other
 * values.
 */
export class ManyRows<DB, R extends object> {
  readonly #columns: readonly (keyof R)[];
  readonly #build: (db: Kysely<DB>, rows: R[]) => Compilable;
  /** By what says how the engine's texts look. */
  readonly #texts = new WeakMap<object, Map<number, CompiledQuery>>();

  /** `build` makes the statement for these rows; the values of `columns`, row by row, are all its parameters. */
  constructor(columns: readonly (keyof R)[], build: (db: Kysely<DB>, rows: R[]) => Compilable) {
    this.#columns = columns;
    this.#build = build;
  }

  async run(db: Kysely<DB>, rows: readonly R[]): Promise<void> {
    let at = 0;
    for (const size of PIECES)
      for (; rows.length - at >= size; at += size) {
        if (at > 0 && at % ROWS_AT_ONCE === 0) await setImmediate();
        await db.executeQuery(this.#statement(db, rows.slice(at, at + size)));
      }
  }

  /** Kysely takes the order of the columns from the first row. */
  #inOrder(row: R): R {
    return Object.fromEntries(this.#columns.map((name) => [name, row[name]])) as R;
  }

  #statement(db: Kysely<DB>, rows: R[]): CompiledQuery {
    const { adapter } = db.getExecutor();
    const texts = this.#texts.get(adapter) ?? new Map<number, CompiledQuery>();
    this.#texts.set(adapter, texts);
    const text =
      texts.get(rows.length) ??
      this.#build(
        db,
        rows.map((row) => this.#inOrder(row)),
      ).compile();
    texts.set(rows.length, text);
    const parameters = rows.flatMap((row) => this.#columns.map((name) => row[name]));
    return { ...text, parameters };
  }
}

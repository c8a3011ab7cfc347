export const notesMax = 1000;

/** Notes in memory, in the order of their ids. Nothing here waits, so calls that run at once cannot interleave inside. */
export class Notes {
  #byId = new Map();
  #nextId = 1;

  /** Null when `notesMax` are kept already. */
  add(fields, now) {
    if (this.#byId.size >= notesMax) return null;
    const at = now.toISOString();
    const note = {
      id: String(this.#nextId++),
      ...fields,
      version: 1,
      createdAt: at,
      updatedAt: at,
    };
    this.#byId.set(note.id, note);
    return note;
  }

  get(id) {
    return this.#byId.get(id);
  }

  list(tag) {
    return [...this.#byId.values()].filter((note) => tag === null || note.tags.includes(tag));
  }

  replace(old, fields, now) {
    const note = { ...old, ...fields, version: old.version + 1, updatedAt: now.toISOString() };
    this.#byId.set(note.id, note);
    return note;
  }

  remove(id) {
    this.#byId.delete(id);
  }
}

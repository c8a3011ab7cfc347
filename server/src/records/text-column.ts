/** The texts of one chunk, each once. */
export class TextDictionary {
  readonly #places = new Map<string, number>();
  readonly texts: string[] = [];
  characters = 0;

  placeOf(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.texts.length;
    this.#places.set(text, place);
    this.texts.push(text);
    this.characters += text.length;
    return place;
  }
}

/** A column of texts as places in the dictionary; NaN is null. Mostly a text is the one before, and then nothing is looked up. */
export class TextColumn {
  readonly values: Float64Array;
  #dictionary: TextDictionary;
  #lastText: string | null = null;
  #lastPlace = Number.NaN;

  constructor(rows: number, dictionary: TextDictionary) {
    this.values = new Float64Array(rows);
    this.#dictionary = dictionary;
  }

  put(at: number, text: string | null): void {
    if (text !== this.#lastText) {
      this.#lastText = text;
      this.#lastPlace = text === null ? Number.NaN : this.#dictionary.placeOf(text);
    }
    this.values[at] = this.#lastPlace;
  }

  begin(dictionary: TextDictionary): void {
    this.#dictionary = dictionary;
    this.#lastText = null;
    this.#lastPlace = Number.NaN;
  }
}

/** Where an answer goes: an HTTP response, or the API. Calls come in the order `head body* (end | cut)`. */
export interface Reply {
  /** Whether a head has been given. */
  readonly hasHead: boolean;
  /** `headers` is flat: name, value, ...; throws on an invalid name or value, and then nothing was sent. */
  head(status: number, headers: string[]): void;
  /** False asks to stop until `onDrain`. */
  body(bytes: Buffer): boolean;
  /** `bytes`: the last or only piece. */
  end(bytes?: Buffer): void;
  /** Sends the head now, although no body has come yet. */
  flush(): void;
  /** Ends without completing the body, so that the caller notices. */
  cut(): void;
  /** Set by the invocation. */
  onDrain: () => void;
  /** Set by the invocation: the caller went away before `end`. */
  onGone: () => void;
}

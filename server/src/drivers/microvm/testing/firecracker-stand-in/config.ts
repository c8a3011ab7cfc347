/** What a test wants of the stand-ins: the first argument of their programs. */
export interface StandInConfig {
  /** `1.17.0` */
  version: string;
  /** Program of QEMU. */
  qemu: string;
  /** A fault to play; null: none. */
  trouble: Trouble | null;
}

export interface Trouble {
  /** `start`: before there is a socket; else a call, as `PUT /vsock`, before it is carried out; `after PUT /actions`: once it is. */
  at: string;
  /** `die`: SIGKILL. `hang`: no answer. `garbage`: bytes that are no HTTP. `text`: a fault that is no JSON. `huge`: an answer without end. */
  does: "die" | "hang" | "garbage" | "text" | "huge";
}

import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SocketFolder } from "../drivers/socket-folder.ts";
import { RegistryProxy } from "./registry-proxy.ts";
import type { RegistryRoute } from "./registry-route.ts";

/** Where a build sandbox finds it. */
const INSIDE = "/opt/isola/registries.sock";

export interface OpenSocket {
  socket: { from: string; at: string };
  close(): Promise<void>;
}

/** One socket for each build that runs. What stands behind each is only the way to the registries. */
export class BuildSockets {
  readonly #route: RegistryRoute;
  readonly #folder: SocketFolder;

  /** `runDir` remembers the folder of the sockets. */
  constructor(route: RegistryRoute, runDir: string) {
    this.#route = route;
    this.#folder = new SocketFolder("isola-builds-", join(runDir, "builds-dir"));
  }

  async open(id: string): Promise<OpenSocket> {
    const proxy = new RegistryProxy(this.#route);
    const from = join(this.#folder.path, `${id}.sock`);
    await proxy.listen(from);
    chmodSync(from, 0o666);
    return {
      socket: { from, at: INSIDE },
      close: async () => {
        await proxy.close();
        rmSync(from, { force: true });
      },
    };
  }

  close(): void {
    this.#folder.close();
  }
}

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isWhole } from "../../src/drivers/microvm/testing/microvm-stand.ts";
import { linkGuests, whyNoGuest } from "../../src/drivers/testing/test-guest.ts";
import { TestServer } from "../harness.ts";
import { honoCode, honoPackage, scriptedPackage } from "./packages.ts";

const skip = whyNoGuest() ?? false;
/** Emulated, an installer needs a minute where it needs seconds elsewhere. */
const microvm = { driver: "microvm", timeoutMs: 60_000, initTimeoutMs: 60_000 };

/** A test of those that take minutes emulated: MICROVM_TESTS=whole runs them. */
function whole(title: string, run: () => Promise<void>): void {
  if (isWhole) test(title, run);
}

describe("a build in a virtual machine", { skip, timeout: 900_000 }, () => {
  const server = new TestServer({
    ISOLA_VMM: "qemu",
    ISOLA_VM_ACCELERATOR: "emulation",
    ISOLA_VM_SNAPSHOTS_MIB_MAX: "0",
    ISOLA_BUILD_TIMEOUT_MS: "600000",
  });

  before(async () => {
    linkGuests(join(server.dataDir, "vm"));
    await server.start();
  });
  after(() => server.dispose());

  whole("of npm is installed by the way to the registries alone", async () => {
    const { layer } = await server.deploy("js", { ...honoPackage, "index.mjs": honoCode }, microvm);
    assert.equal(layer.place, "beside");
    const { json } = await server.api("GET", "/api/v1/functions/js/builds");
    assert.match(json.items[0].output.join("\n"), /added 1 package/);
    assert.equal((await server.call("/js")).text, "from hono");
  });

  test("of pip is installed by the way to the registries alone", async () => {
    const files = {
      "requirements.txt": "six==1.16.0\n",
      "app.py": "import six\ndef handler(event, context):\n    return six.__version__\n",
    };
    const { layer } = await server.deploy("py", files, { ...microvm, runtime: "python" });
    assert.equal(layer.place, "beside");
    const { json } = await server.api("GET", "/api/v1/functions/py/builds");
    assert.match(json.items[0].output.join("\n"), /Successfully installed six-1\.16\.0/);
    if (isWhole) assert.equal((await server.call("/py")).text, "1.16.0");
  });

  whole("reaches nothing but the registries that are named", async () => {
    const script = `
const net = require("node:net"), http = require("node:http"), tried = [];
const through = (authority) => new Promise((resolve) => {
  const proxy = new URL(process.env.npm_config_proxy || process.env.HTTPS_PROXY || process.env.npm_config_https_proxy);
  const asked = http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: authority });
  asked.on("connect", (answer) => resolve(authority + " " + answer.statusCode)).on("error", () => resolve(authority + " error")).end();
});
const direct = (host) => new Promise((resolve) => {
  net.connect(443, host).on("connect", () => resolve(host + " connected")).on("error", (error) => resolve(host + " " + error.code));
});
Promise.all([through("example.com:443"), through("169.254.169.254:80"), direct("1.1.1.1"), direct("10.0.2.2")]).then((said) => console.log("SAID " + said.join(", ")));
`;
    const settings = { ...microvm, build: { scripts: true } };
    await server.deploy("scripted", scriptedPackage(script), settings);
    const { json } = await server.api("GET", "/api/v1/functions/scripted/builds");
    assert.match(
      json.items[0].output.join("\n"),
      /SAID example\.com:443 403, 169\.254\.169\.254:80 403, 1\.1\.1\.1 ENETUNREACH, 10\.0\.2\.2 ENETUNREACH/,
    );
  });
});

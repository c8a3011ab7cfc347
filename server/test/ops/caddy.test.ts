import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../src/drivers/find-program.ts";
import { type ProxyPlace, proxyCases } from "./proxy-cases.ts";
import { shippedProxyFile, startProxy } from "./proxy-process.ts";

const caddy = findProgram("caddy");

async function start(place: ProxyPlace) {
  const { dir, certificate, key, functionsPort, apiPort } = place;
  // A certificate of its own needs a name that the world can ask for; one that lies there needs a line.
  const tls = `bind 127.0.0.1\n\ttls ${certificate} ${key}`;
  const site = (port: number) => `https://localhost:${port} {\n\t${tls}`;
  const text = shippedProxyFile("Caddyfile", [
    ["functions.example.com {", site(functionsPort)],
    ["isola.example.com {", site(apiPort)],
    ["127.0.0.1:8080", place.functionsUpstream],
    ["127.0.0.1:8081", place.apiUpstream],
  ]);
  const file = join(dir, "Caddyfile");
  const storage = join(dir, "storage");
  writeFileSync(
    file,
    `{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system ${storage}\n}\n${text}`,
  );
  const config = ["--config", file, "--adapter", "caddyfile"];
  return await startProxy(caddy as string, ["run", ...config]);
}

const skip = caddy === null && "Caddy is missing: apt-get install -y --no-install-recommends caddy";
proxyCases("Caddy", skip, start);

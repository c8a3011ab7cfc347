import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../src/drivers/find-program.ts";
import { freePort } from "../prometheus/real-prometheus.ts";
import { type ProxyPlace, proxyCases } from "./proxy-cases.ts";
import { shippedProxyFile, startProxy } from "./proxy-process.ts";

const nginx = findProgram("nginx");

/** What Debian's nginx.conf says around the files of conf.d, with all that is written in `dir`. */
function around(dir: string, inner: string): string {
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = places.map((name) => `${name}_temp_path ${join(dir, name)};`).join("\n");
  return `daemon off; master_process on; worker_processes 1; user root;
pid ${join(dir, "nginx.pid")}; error_log stderr warn;
events {}
http { access_log off; ${temporary}
include ${inner}; }
`;
}

async function start(place: ProxyPlace) {
  const { dir, certificate, key, functionsPort, apiPort } = place;
  const text = shippedProxyFile("nginx.conf", [
    ["server 127.0.0.1:8080;", `server ${place.functionsUpstream};`],
    ["server 127.0.0.1:8081;", `server ${place.apiUpstream};`],
    ["listen 80;", `listen 127.0.0.1:${await freePort()};`],
    [
      "listen 443 ssl http2;\n    server_name functions.example.com;",
      `listen 127.0.0.1:${functionsPort} ssl http2;\n    server_name localhost;`,
    ],
    [
      "listen 443 ssl http2;\n    server_name isola.example.com;",
      `listen 127.0.0.1:${apiPort} ssl http2;\n    server_name localhost;`,
    ],
    ["/etc/ssl/isola/fullchain.pem", certificate],
    ["/etc/ssl/isola/privkey.pem", key],
  ]);
  const inner = join(dir, "isola.conf");
  writeFileSync(inner, text);
  const file = join(dir, "nginx.conf");
  writeFileSync(file, around(dir, inner));
  mkdirSync(join(dir, "prefix"));
  return await startProxy(nginx as string, ["-p", join(dir, "prefix"), "-c", file]);
}

const skip =
  nginx === null && "nginx is missing: apt-get install -y --no-install-recommends nginx-light";
proxyCases("nginx", skip, start);

import type Dockerode from "dockerode";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IsolaError, messageOf } from "../errors.ts";
import { settingSpecs } from "../settings/schema.ts";

/** Where an engine is unless somebody says otherwise. */
export const DEFAULT_DOCKER_HOST: string = settingSpecs.dockerHost.default;
/** A question that the engine answers from what it knows. */
const QUESTION_MS_MAX = 15_000;

/** A Docker Engine and the way to it. */
export interface Engine {
  /** `unix:///var/run/docker.sock`, as messages name it. */
  readonly host: string;
  readonly address: EngineAddress;
  readonly docker: Dockerode;
}

/** What `node:http` needs for a connection: a path, or a host with what TLS takes. */
export interface EngineAddress {
  protocol: "http" | "https";
  socketPath: string | undefined;
  host: string | undefined;
  port: string | number | undefined;
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

/**
 * The engine at `host`: `unix:///path`, `/path`, `tcp://host:port`, `http(s)://host:port`. With `DOCKER_TLS_VERIFY`, or https, certificates are read from
 * `DOCKER_CERT_PATH`. Nothing is asked of it yet. Rejects with `driver_unavailable` where there is no way to such an address.
 */
export async function openEngine(
  host: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Engine> {
  const address = addressOf(host, env);
  const { default: Docker } = await import("dockerode");
  const options = { ...address, pathPrefix: "/" } as Dockerode.DockerOptions;
  return { host, address, docker: new Docker(options) };
}

/** Every member is given: dockerode would fill in what is left out from DOCKER_HOST. */
function addressOf(host: string, env: Readonly<Record<string, string | undefined>>): EngineAddress {
  const path = host.startsWith("/") ? host : /^unix:\/\/(\/.+)$/.exec(host)?.[1];
  const none = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined };
  if (path !== undefined) return { ...none, socketPath: path, protocol: "http" };
  const url = URL.canParse(host) ? new URL(host) : null;
  if (url === null || !["tcp:", "http:", "https:"].includes(url.protocol) || url.hostname === "")
    throw new IsolaError(
      "driver_unavailable",
      `the address of the Docker Engine: expected unix:///path, tcp://host:port or https://host:port, given ${host}`,
    );
  const isSecure = url.protocol === "https:" || Boolean(env.DOCKER_TLS_VERIFY);
  return {
    ...{ ...none, socketPath: undefined, protocol: isSecure ? "https" : "http" },
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (isSecure ? 2376 : 2375),
    ...(isSecure && env.DOCKER_CERT_PATH ? certificates(env.DOCKER_CERT_PATH) : {}),
  };
}

function certificates(folder: string): Pick<EngineAddress, "ca" | "cert" | "key"> {
  try {
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
  } catch (cause) {
    const text = `DOCKER_CERT_PATH: expected ca.pem, cert.pem and key.pem in ${folder}: ${messageOf(cause)}`;
    throw new IsolaError("driver_unavailable", text, { cause });
  }
}

/**
 * Asks the engine one thing within a deadline, at which the wait ends in any case: some calls of the client take no signal, and an answer may be a stream that outlives it. What it answers with an error, or not in time, is a `driver_unavailable` that names the engine and `what` was
 * asked (`list images`); with `absent` given, a 404 gives that instead.
 */
export async function askEngine<T, A = never>(
  engine: Engine,
  what: string,
  ask: (docker: Dockerode, signal: AbortSignal) => Promise<T>,
  options: { deadlineMs?: number; absent?: A } = {},
): Promise<T | A> {
  const deadlineMs = options.deadlineMs ?? QUESTION_MS_MAX;
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    const late = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => late.reject(signal.reason), { once: true });
    late.promise.catch(() => {}); // the answer came first
    return await Promise.race([ask(engine.docker, signal), late.promise]);
  } catch (cause) {
    if ("absent" in options && (cause as { statusCode?: number }).statusCode === 404)
      return options.absent as A;
    if (signal.aborted) throw silent(engine, what, deadlineMs, cause);
    throw engineError(engine, what, cause);
  }
}

export function silent(
  { host }: Engine,
  what: string,
  waitedMs: number,
  cause?: unknown,
): IsolaError {
  const text = `the Docker Engine at ${host} said nothing for ${waitedMs / 1000} s when asked to ${what}; see its log, restart it`;
  return new IsolaError("driver_unavailable", text, { cause });
}

/** What a failed request means to the operator. */
export function engineError({ host }: Engine, what: string, cause: unknown): IsolaError {
  if (cause instanceof IsolaError) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  const text =
    noEngine(host, code) ??
    `the Docker Engine at ${host} could not ${what}: ${messageOf(cause).trim()}`;
  return new IsolaError("driver_unavailable", text, { cause });
}

function noEngine(host: string, code: string): string | null {
  if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTFOUND")
    return `no Docker Engine answers at ${host} (${code}): start one (\`systemctl start docker\`), or set DOCKER_HOST to where one is`;
  if (code === "EACCES" || code === "EPERM")
    return `this user may not use the Docker Engine at ${host}: \`usermod -aG docker <user>\` and a new login allow it (members of that group are as good as root)`;
  return null;
}

import type { SettingSpec } from "./setting-spec.ts";

/** What the server has to know of a proxy that stands before it. */
export const proxySettings = {
  publicUrl: {
    kind: "url",
    default: null,
    shown: "from `gatewayHost` and `gatewayPort`",
    help: "Base URL under which callers reach functions, as behind a proxy",
  },
  allowedHosts: {
    kind: "hosts",
    default: [],
    help: "Further `Host` names the API answers to, beside loopback and `controlHost`",
  },
  trustedProxies: {
    kind: "networks",
    default: [],
    help: "Proxies before the functions listener whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed (docs/operations.md); others' are replaced",
  },
} as const satisfies Record<string, SettingSpec>;

import { type Call, type Transport, jsonOf } from "./transport.ts";

export const functionsPath = "/api/v1/functions";

export function pathOf(name: string): string {
  return `${functionsPath}/${encodeURIComponent(name)}`;
}

export function caller(transport: Transport) {
  return async <T>(method: string, path: string, rest: Omit<Call, "method" | "path">) =>
    jsonOf<T>(await transport({ method, path, ...rest }));
}

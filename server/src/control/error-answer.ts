import type { FastifyError } from "fastify";
import { IsolaError, type ErrorCode, messageOf } from "../errors.ts";
import type { ErrorBody } from "@isola/api/errors";

/** What fastify refuses by itself. */
const fastifyCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_BODY_TOO_LARGE: "too_large",
};

/** Anything thrown as an expected failure; a defect of ours becomes `internal_error`, whose cause is for the log alone. */
export function asIsolaError(error: unknown): IsolaError {
  if (error instanceof IsolaError) return error;
  const { code = "", statusCode } = error as Partial<FastifyError>;
  const known = fastifyCodes[code];
  if (known !== undefined) return new IsolaError(known, messageOf(error));
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new IsolaError("invalid_request", messageOf(error));
  return new IsolaError("internal_error", "a defect in Isola; the server's log has the details", {
    cause: error,
  });
}

export function errorBody(error: IsolaError, requestId: string): ErrorBody {
  const { code, message, details } = error;
  return { error: { code, message, requestId, details: [...details] } };
}

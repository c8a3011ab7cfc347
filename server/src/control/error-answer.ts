import type { FastifyError } from "fastify";
import { IsolaError, messageOf } from "../errors.ts";
import type { ErrorBody } from "@isola/api/errors";

const mediaTypesTaken =
  "expected the content type application/json (uploads of code: also application/zip, application/gzip, application/x-tar), given another";

const notJson =
  "the body is not valid JSON, or has a member named __proto__, or constructor with a prototype in it, which only an event may have";

/** Anything thrown as an expected failure; a defect of ours becomes `internal_error`, whose cause is for the log alone. */
export function asIsolaError(error: unknown): IsolaError {
  if (error instanceof IsolaError) return error;
  const { code = "", statusCode } = error as Partial<FastifyError>;
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return new IsolaError("unsupported_media_type", mediaTypesTaken);
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return new IsolaError("too_large", "the body is larger than this call takes");
  if (code === "FST_ERR_CTP_INVALID_JSON_BODY") return new IsolaError("invalid_request", notJson);
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

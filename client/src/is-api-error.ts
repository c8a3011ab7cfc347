import { ApiError } from "@isola/api/api-error";

/** Also for an error of another copy of this package; `code` narrows it: `isApiError(error, "not_found")`. */
export function isApiError(error: unknown, code?: string): error is ApiError {
  if (!(error instanceof Error) || error.name !== "ApiError") return false;
  const { status, code: own, requestId } = error as Partial<ApiError>;
  const isOne =
    error instanceof ApiError || (typeof status === "number" && typeof requestId === "string");
  return isOne && (code === undefined || own === code);
}

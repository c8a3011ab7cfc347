export { ApiError } from "@isola/api/api-error";
export type {
  CallOptions,
  ChangeOptions,
  CodeUpload,
  EventTailQuery,
  LogTailQuery,
  TailOptions,
} from "@isola/api/client";
export type { TailEvent } from "@isola/api/event-stream";
export type { FollowOptions } from "@isola/api/follow-tail";
export type { Page, PageQuery, PlacedPage } from "@isola/api/shapes";
export type { ErrorDetail } from "@isola/api/errors";
export type { BuildView } from "@isola/api/builds";
export type {
  ChangedFunction,
  Code,
  CreateFunction,
  DeletedFunction,
  FunctionListQuery,
  FunctionView,
  PatchFunction,
  RevisionView,
  Rollback,
} from "@isola/api/functions";
export type { Route } from "@isola/api/settings";
export type { ScheduleView } from "@isola/api/schedules";
export type {
  AllInvocationsQuery,
  InvocationListQuery,
  InvocationView,
  InvocationWithLogs,
  Invoke,
  Invoked,
} from "@isola/api/invocations";
export type { EventListQuery, EventView } from "@isola/api/events";
export type { AllLogsQuery, LogLineView, LogListQuery, LogView } from "@isola/api/logs";
export type { MetricsQueryString, MetricsView } from "@isola/api/metrics";
export type { CostQuery, CostView } from "@isola/api/cost";
export type {
  ComparisonListQuery,
  ComparisonSummary,
  ComparisonView,
  EndedComparison,
  ExportQuery,
  StartComparison,
} from "@isola/api/comparisons";
export type { BuildGuests, GuestPart, PrunedGuests } from "@isola/api/guests";
export type { BuildImages, ImageEvent, ImageView, PrunedImages } from "@isola/api/images";
export type { CreateKey, CreatedKey, KeyListQuery, KeyView } from "@isola/api/keys";
export type { DriverView, Health, Readiness, RuntimeView, SystemView } from "@isola/api/machine";
export type { CreateProject, DeletedProject, PatchProject, ProjectView } from "@isola/api/projects";
export type { OpenSession, SessionView, SignInLink } from "@isola/api/sessions";
export { type Client, type ClientOptions, createClient } from "./create-client.ts";
export type { FunctionRequest } from "./call-function.ts";
export type { Deploy, DeployOptions } from "./deploy-function.ts";
export { isApiError } from "./is-api-error.ts";
export { type Item, type ListCall, items, pages } from "./items.ts";

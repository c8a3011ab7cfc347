import { ChangedFunction, Code, CodeQuery, FunctionParams } from "@isola/api/functions";
import { ChangeHeaders } from "@isola/api/headers";
import { requestLimits } from "@isola/api/limits";
import { ProjectQuery } from "@isola/api/projects";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import Type from "typebox";
import { IsolaError } from "../errors.ts";
import { buildsAndStreams, withProgress } from "./build-progress.ts";
import { changedAnswer } from "./changed-answer.ts";
import { codeInput } from "./code-input.ts";
import { type ControlApp, type ControlContext, answers, targetOf } from "./context.ts";
import { noteBody } from "./idempotency.ts";
import type { CodeInput } from "./ports.ts";
import { projectOf } from "./request-policy.ts";
import type { UploadSlots } from "./upload-slots.ts";

/** An archive as it is; `artifacts/` looks into it. */
const Bytes = Type.Unsafe<Buffer>({ type: "string", format: "binary" });

const archives: Record<string, "zip" | "tar" | "tar.gz"> = {
  "application/zip": "zip",
  "application/gzip": "tar.gz",
  "application/x-tar": "tar",
};

/** Registered apart from the others: only here are archives taken as bodies. */
export function registerCode(app: ControlApp, context: ControlContext, uploads: UploadSlots): void {
  app.addContentTypeParser(
    Object.keys(archives),
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      noteBody(request, body);
      return body;
    },
  );
  registerUpload(app, context, uploads);
  registerDownload(app, context);
}

function registerUpload(app: ControlApp, context: ControlContext, uploads: UploadSlots): void {
  const archiveContent = Object.keys(archives).map((type) => [type, { schema: Bytes }]);
  app.put(
    "/api/v1/functions/:name/code",
    {
      config: { policy: { scope: "deploy", reach: "project" } },
      bodyLimit: requestLimits.codeBodyBytesMax,
      preParsing: uploads.take,
      schema: {
        tags: ["functions"],
        summary: "Upload new code: a new revision",
        description: buildsAndStreams,
        params: FunctionParams,
        querystring: ProjectQuery,
        headers: ChangeHeaders,
        body: {
          content: {
            "application/json": { schema: Code },
            ...(Object.fromEntries(archiveContent) as Record<string, { schema: typeof Bytes }>),
          },
        },
        response: answers({ 200: ChangedFunction }),
      },
    },
    async (request, reply) => {
      const input = uploaded(request.headers["content-type"], request.body);
      const target = targetOf(request, request.params.name);
      return withProgress(request, reply, async (progress) => {
        const changed = await context.deployer.putCode(target, input, progress);
        return changedAnswer(context, changed, request, reply);
      });
    },
  );
}

function registerDownload(app: ControlApp, { store, artifacts }: ControlContext): void {
  app.get(
    "/api/v1/functions/:name/code",
    {
      config: { policy: { scope: "read", reach: "project" } },
      schema: {
        tags: ["functions"],
        summary: "Download the code as tar",
        params: FunctionParams,
        querystring: CodeQuery,
        produces: ["application/x-tar"],
        response: answers({ 200: Bytes }),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const fn = await store.getFunction(projectOf(request), name);
      const wanted = request.query.revision ?? fn.liveRevision;
      const { artifact, revision } = await store.getRevision(fn.id, wanted);
      const tar = await artifacts.open(artifact.digest);
      return reply
        .type("application/x-tar")
        .header("content-length", artifact.bytes)
        .header("content-disposition", `attachment; filename="${name}-${revision}.tar"`)
        .header("isola-code-digest", artifact.digest)
        .send(tar as never);
    },
  );
}

function uploaded(contentType: string | undefined, body: unknown): CodeInput {
  const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const kind = Object.hasOwn(archives, type) ? archives[type] : undefined;
  if (kind !== undefined && Buffer.isBuffer(body)) return { kind, bytes: body };
  if (type === "application/json") return codeInput(body as Static<typeof Code>);
  throw new IsolaError(
    "unsupported_media_type",
    `expected code as ${["application/json", ...Object.keys(archives)].join(", ")}, given nothing`,
  );
}

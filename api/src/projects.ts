import Type, { type Static } from "typebox";
import { NAME_PATTERN, driverNames, requestLimits } from "./limits.ts";
import { closed, moment, nullable, oneOf, pageMembers, pageOf } from "./shapes.ts";

const name = Type.String({
  pattern: NAME_PATTERN,
  description: "Lower-case letters, digits and `-`, begins with a letter, 63 at most",
});

/** Of calls about what a project owns. */
export const projectMember = {
  project: Type.Optional(
    Type.String({
      pattern: NAME_PATTERN,
      description: "Left out: the project of the key; `default` with a key of no project",
    }),
  ),
};

/** Of lists that may go over all projects. */
export const projectsMembers = {
  ...projectMember,
  projects: Type.Optional(
    oneOf(["all"], "Of every project, without `project`; with a key of one project: of that alone"),
  ),
};

/** Of calls about what a project owns that ask nothing else in the query. */
export const ProjectQuery = closed(projectMember);

const driver = nullable(
  oneOf(driverNames),
  "Isolation technology of functions that are created without one; null: the server's `defaultDriver`",
);
const description = Type.String({ maxLength: requestLimits.descriptionCharsMax });

export const ProjectParams = closed({ name });

export const CreateProject = closed(
  { name, description: Type.Optional(description), driver: Type.Optional(driver) },
  "CreateProject",
);
export type CreateProject = Static<typeof CreateProject>;

/** Each member replaces the one of that name; what is left out stays. */
export const PatchProject = closed(
  { description: Type.Optional(description), driver: Type.Optional(driver) },
  "PatchProject",
);
export type PatchProject = Static<typeof PatchProject>;

export const ProjectView = closed(
  {
    name,
    description: Type.String(),
    driver,
    url: Type.String({ description: "Base of the addresses of its functions" }),
    createdAt: moment("When it was made"),
    updatedAt: moment("When it last changed"),
    etag: Type.String({ description: "For `If-Match`; also in the header `etag`" }),
  },
  "Project",
);
export type ProjectView = Static<typeof ProjectView>;

export const DeletedProject = closed({ name }, "DeletedProject");
export type DeletedProject = Static<typeof DeletedProject>;

export const ProjectListQuery = closed(pageMembers);
export const ProjectPage = pageOf(ProjectView, "ProjectPage");

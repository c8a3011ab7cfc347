import { requestLimits } from "@isola/api/limits";
import { PROJECT_MARK } from "../domain/project.ts";

const LITERAL = /^[A-Za-z0-9._~@$+,;=!-]+$/;
const PARAM = /^:[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** What is wrong with a route's path, as what was expected instead; null when nothing is. */
export function routePathProblem(path: string): string | null {
  if (!path.startsWith("/")) return "a path that begins with /";
  if (path.length > requestLimits.routePathCharsMax)
    return `at most ${requestLimits.routePathCharsMax} characters`;
  if (path === "/") return null;
  if (path.startsWith(`/${PROJECT_MARK}`))
    return `a path without ${PROJECT_MARK} at its beginning, where it stands for a project`;
  const segments = path.slice(1).split("/");
  const names = segments.filter((segment) => segment.startsWith(":"));
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1;
    const problem = segmentProblem(segment, isLast);
    if (problem !== null) return problem;
  }
  return new Set(names).size === names.length ? null : "each :name at most once";
}

function segmentProblem(segment: string, isLast: boolean): string | null {
  if (segment === "") return "segments that are not empty: no // and no / at the end";
  if (segment === "." || segment === "..") return "a path without . and .. segments";
  if (segment === "*") return isLast ? null : "* only as the last segment";
  if (segment.includes("%")) return "a path without percent escapes";
  if (LITERAL.test(segment) || PARAM.test(segment)) return null;
  return "segments that are literal (letters, digits, . _ ~ @ $ + , ; = ! -), :name, or * at the end";
}

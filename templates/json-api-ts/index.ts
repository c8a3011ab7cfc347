import { Refusal } from "./refusal.ts";
import { numbersIn, sumOf } from "./sum.ts";

type Route = (request: Request) => unknown;

/** What each method and path answers; the value becomes JSON. */
const routes = new Map<string, Route>([
  ["GET /", () => ({ try: 'POST /sum with {"numbers": [1, 2, 3]}' })],
  ["POST /sum", async (request) => ({ sum: sumOf(numbersIn(await jsonOf(request))) })],
]);

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const asked = `${request.method} ${pathname}`;
    try {
      const route = routes.get(asked);
      if (!route) throw new Refusal(404, `no ${asked}; there are ${[...routes.keys()].join(", ")}`);
      return Response.json(await route(request));
    } catch (error) {
      // What is our own fault goes on: the platform answers 500 and logs the stack.
      if (!(error instanceof Refusal)) throw error;
      return Response.json({ error: error.message }, { status: error.status });
    }
  },
};

async function jsonOf(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal(400, `expected JSON: ${error.message}`);
    throw error;
  }
}

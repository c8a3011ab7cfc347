/** What the caller did wrong: answered with this status and message. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** What each method and path answers; the value becomes JSON. */
const routes = new Map([
  ["GET /", () => ({ try: 'POST /sum with {"numbers": [1, 2, 3]}' })],
  ["POST /sum", async (request) => ({ sum: sumOf(numbersIn(await jsonOf(request))) })],
]);

export default {
  async fetch(request) {
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

async function jsonOf(request) {
  try {
    return await request.json();
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal(400, `expected JSON: ${error.message}`);
    throw error;
  }
}

function numbersIn(body) {
  const numbers = body?.numbers;
  if (!Array.isArray(numbers) || !numbers.every(Number.isFinite))
    throw new Refusal(400, 'expected {"numbers": [1, 2, 3]}');
  return numbers;
}

function sumOf(numbers) {
  return numbers.reduce((sum, each) => sum + each, 0);
}

const routes = {
  "GET /": () => ({ try: 'POST /sum with {"numbers": [1, 2, 3]}' }),
  "POST /sum": async (request) => {
    const { numbers } = await request.json();
    if (!Array.isArray(numbers) || !numbers.every(Number.isFinite))
      throw new BadRequest('expected {"numbers": [...]}');
    return { sum: numbers.reduce((sum, one) => sum + one, 0) };
  },
};

class BadRequest extends Error {}

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const route = routes[`${request.method} ${pathname}`];
    if (!route)
      return Response.json({ error: `no ${request.method} ${pathname}` }, { status: 404 });
    try {
      return Response.json(await route(request));
    } catch (error) {
      const isBad = error instanceof BadRequest || error instanceof SyntaxError;
      if (!isBad) throw error;
      return Response.json({ error: error.message }, { status: 400 });
    }
  },
};

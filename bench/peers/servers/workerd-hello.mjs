export default {
  async fetch(request) {
    const headers = { "content-type": "text/plain" };
    if (request.method === "GET") return new Response("hello", { headers });
    const length = Number(request.headers.get("content-length"));
    const { readable, writable } = new FixedLengthStream(length);
    request.body.pipeTo(writable);
    return new Response(readable, { headers });
  },
};

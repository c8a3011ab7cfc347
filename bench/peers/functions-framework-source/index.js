import { http } from "@google-cloud/functions-framework";

http("hello", (request, response) => {
  response.setHeader("content-type", "text/plain");
  response.end(request.method === "GET" ? "hello" : request.rawBody);
});

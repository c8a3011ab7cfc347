// HEALTHCHECK of the image: whether the server takes requests.
const port = process.env.ISOLA_CONTROL_PORT ?? "8081";
const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {
  signal: AbortSignal.timeout(3000),
});
if (answer.status !== 200) {
  process.stderr.write(`/readyz answers ${answer.status}\n`);
  process.exit(1);
}

/** Greets whoever the query names: `/?name=Ada`. */
export const handler = async (event) => {
  const name = event.queryStringParameters?.name ?? "world";
  console.log(`greeting ${name}`);
  return { statusCode: 200, headers: { "content-type": "text/plain" }, body: `Hello, ${name}!\n` };
};

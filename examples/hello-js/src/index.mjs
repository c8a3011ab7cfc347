const nameCharsMax = 100;

/** Greets `?name=`. Lambda style: an event in, an object out; without `statusCode` it becomes 200 and JSON. */
export const handler = async (event, context) => {
  const name = event.queryStringParameters?.name?.trim() || "world";
  if (name.length > nameCharsMax) {
    return {
      statusCode: 400,
      body: `name: at most ${nameCharsMax} characters, got ${name.length}\n`,
    };
  }
  console.log(`greeting ${name} for ${context.awsRequestId}`);
  return { message: `Hello, ${name}!`, function: context.functionName };
};

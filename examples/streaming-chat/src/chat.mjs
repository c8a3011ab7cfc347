const bodyBytesMax = 64 * 1024;
const messagesMax = 100;
const tokensMost = 4096;
const roles = ["system", "user", "assistant"];

/** `{ chat }`, or `{ problem, status }` that says what was expected. */
export async function readChat(request) {
  const text = await request.text();
  if (Buffer.byteLength(text) > bodyBytesMax) {
    return { problem: `body: at most ${bodyBytesMax} bytes`, status: 413 };
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `body: not JSON (${error.message})`, status: 400 };
  }
  const problem = problemOf(value);
  if (problem !== null) return { problem, status: 400 };
  return { chat: { messages: value.messages, tokensMax: value.max_tokens ?? tokensMost } };
}

function problemOf(value) {
  const messages = value?.messages;
  if (!Array.isArray(messages) || messages.length < 1 || messages.length > messagesMax) {
    return `messages: expected a list of 1 to ${messagesMax}`;
  }
  for (const [at, message] of messages.entries()) {
    if (!roles.includes(message?.role)) return `messages[${at}].role: one of ${roles.join(", ")}`;
    if (typeof message.content !== "string") return `messages[${at}].content: expected text`;
  }
  if (messages.at(-1).role !== "user") return "messages: expected the last to be the user's";
  const tokens = value.max_tokens ?? 1;
  const isInBounds = Number.isInteger(tokens) && tokens >= 1 && tokens <= tokensMost;
  return isInBounds ? null : `max_tokens: a whole number from 1 to ${tokensMost}`;
}

// Objects as in the streams of the chat completions that many servers offer, so that their clients can read them.

export function chunkOf(id, content) {
  return {
    id,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  };
}

/** `length`: there was more to say than tokens were allowed. */
export function endOf(id, { reason, tokens }) {
  return {
    id,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: {}, finish_reason: reason }],
    usage: { completion_tokens: tokens },
  };
}

const streamHandlers = new WeakSet();

/** What `awslambda.HttpResponseStream.from` set, kept for the stream until its head goes out. @type {WeakMap<object, Record<string, unknown>>} */
const metadata = new WeakMap();

/** @param {Function} handler */
export function isStreamHandler(handler) {
  return streamHandlers.has(handler);
}

/** @param {object} stream */
export function metadataOf(stream) {
  return metadata.get(stream);
}

/** Defines the global `awslambda` that AWS Lambda gives to streaming handlers. */
export function defineAwslambda() {
  Object.defineProperty(globalThis, "awslambda", {
    configurable: true,
    enumerable: false,
    writable: true,
    value: {
      streamifyResponse(/** @type {Function} */ handler) {
        if (typeof handler !== "function")
          throw new TypeError("awslambda.streamifyResponse needs a function");
        streamHandlers.add(handler);
        return handler;
      },
      HttpResponseStream: {
        /** Sets status, headers and cookies of a response; before its first write. @param {object} stream @param {Record<string, unknown>} prelude */
        from(stream, prelude) {
          metadata.set(stream, prelude);
          return stream;
        },
      },
    },
  });
}

import { Notes, notesMax } from "./notes.mjs";
import { bodyBytesMax, validateNote } from "./validate.mjs";

/** Lives as long as this sandbox. */
const notes = new Notes();

function json(status, value, headers = {}) {
  return Response.json(value, { status, headers });
}

function problem(status, message, details) {
  return json(status, { error: { message, ...(details && { details }) } });
}

function answerNote(status, note, headers = {}) {
  return json(status, note, { etag: `"${note.version}"`, ...headers });
}

/** The note of the body, or the Response that says what is wrong with it. */
async function readNote(request) {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    return problem(415, `content-type: expected application/json, got ${type || "none"}`);
  }
  const text = await request.text();
  if (Buffer.byteLength(text) > bodyBytesMax) {
    return problem(413, `body: at most ${bodyBytesMax} bytes`);
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return problem(400, `body: not JSON (${error.message})`);
  }
  const { note, details } = validateNote(value);
  return note ?? problem(400, "the note is not valid", details);
}

async function onCollection(request, url) {
  if (request.method === "GET" || request.method === "HEAD") {
    return json(200, { notes: notes.list(url.searchParams.get("tag")) });
  }
  if (request.method !== "POST") return notAllowed("GET, HEAD, POST");
  const note = await readNote(request);
  if (note instanceof Response) return note;
  const added = notes.add(note, new Date());
  if (added === null) return problem(507, `at most ${notesMax} notes are kept`);
  return answerNote(201, added, { location: `/notes/${added.id}` });
}

async function onNote(request, id) {
  const given = request.method === "PUT" ? await readNote(request) : null;
  if (given instanceof Response) return given;
  // From here on nothing waits: what is read below is what is changed.
  const found = notes.get(id);
  if (found === undefined) return problem(404, `no note ${id}`);
  const etag = `"${found.version}"`;
  const ifMatch = request.headers.get("if-match");
  const hasPassed = ifMatch !== null && ifMatch !== "*" && ifMatch !== etag;
  switch (request.method) {
    case "GET":
    case "HEAD":
      if (request.headers.get("if-none-match") === etag) {
        return new Response(null, { status: 304, headers: { etag } });
      }
      return answerNote(200, found);
    case "PUT":
      if (hasPassed) return problem(412, `the note is at ${etag} by now`);
      return answerNote(200, notes.replace(found, given, new Date()));
    case "DELETE":
      if (hasPassed) return problem(412, `the note is at ${etag} by now`);
      notes.remove(id);
      return new Response(null, { status: 204 });
    default:
      return notAllowed("GET, HEAD, PUT, DELETE");
  }
}

function notAllowed(allow) {
  return json(405, { error: { message: `use one of ${allow}` } }, { allow });
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const match = /^\/notes(?:\/(\d{1,9})?)?$/.exec(url.pathname);
    if (match === null) return problem(404, "paths are /notes/ and /notes/<id>");
    return match[1] === undefined ? onCollection(request, url) : onNote(request, match[1]);
  },
};

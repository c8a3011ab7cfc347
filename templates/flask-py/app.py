"""A Flask application (WSGI): a page and a JSON API."""

from flask import Flask, jsonify, render_template_string, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, HTTPException

app = Flask(__name__)

PAGE = """<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Greeting</title>
  <h1>{{ "Hello, " ~ name ~ "!" if name else "Who are you?" }}</h1>
  <form>
    <label>Name <input name="name" value="{{ name }}"></label>
    <button>Greet</button>
  </form>
</html>
"""


@app.get("/")
def index() -> ResponseReturnValue:
    return render_template_string(PAGE, name=request.args.get("name", ""))


@app.post("/words")
def words() -> ResponseReturnValue:
    body = request.get_json()
    given = body.get("words") if isinstance(body, dict) else None
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise BadRequest('expected {"words": ["b", "a"]}')
    return jsonify(sorted=sorted(given))


@app.errorhandler(HTTPException)
def refused(error: HTTPException) -> ResponseReturnValue:
    return jsonify(error=error.description), error.code or 500

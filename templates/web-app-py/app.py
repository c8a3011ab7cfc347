"""A page with a form, as a WSGI app: what Flask and Django are, with nothing to install."""

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import parse_qs

PAGE = """<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Greeting</title>
  <h1>{greeting}</h1>
  <form>
    <label>Name <input name="name" value="{name}"></label>
    <button>Greet</button>
  </form>
</html>
"""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    if environ["PATH_INFO"] not in ("", "/"):
        start_response("404 Not Found", [("content-type", "text/plain")])
        return [b"There is no such page.\n"]
    name = escape(parse_qs(environ["QUERY_STRING"]).get("name", [""])[0])
    greeting = f"Hello, {name}!" if name else "Who are you?"
    start_response("200 OK", [("content-type", "text/html; charset=utf-8")])
    return [PAGE.format(greeting=greeting, name=name).encode()]

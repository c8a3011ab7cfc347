from html import escape
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


def app(environ, start_response):
    name = escape(parse_qs(environ.get("QUERY_STRING", "")).get("name", [""])[0])
    greeting = f"Hello, {name}!" if name else "Who are you?"
    start_response("200 OK", [("content-type", "text/html; charset=utf-8")])
    return [PAGE.format(greeting=greeting, name=name).encode()]

"""A page with a form, rendered from a template."""

from __future__ import annotations

from flask import Flask, abort, render_template, request

app = Flask(__name__)

SIZES_MAX = 12


@app.get("/")
def page() -> str:
    return render_template("page.html", rows=[], size=5)


@app.get("/table")
def table() -> str:
    size = request.args.get("size", type=int)
    if size is None or not 1 <= size <= SIZES_MAX:
        abort(400, f"size must be a whole number from 1 to {SIZES_MAX}")
    rows = [[row * column for column in range(1, size + 1)] for row in range(1, size + 1)]
    return render_template("page.html", rows=rows, size=size)

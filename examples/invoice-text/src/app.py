"""A PDF invoice comes in; its text and the fields that were found in it go out."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from fields import fields_of
from pdf_text import PdfProblem, text_of


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    del context
    if event["requestContext"]["http"]["method"] != "POST":
        return answer(405, {"error": "POST a PDF file"}, {"allow": "POST"})
    try:
        pages = text_of(bytes_of(event))
    except PdfProblem as problem:
        return answer(problem.status, {"error": str(problem)})
    return answer(200, {"fields": fields_of("\n".join(pages)), "pages": pages})


def bytes_of(event: dict[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise PdfProblem(400, "body: not base64") from error


def answer(status: int, value: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(value, ensure_ascii=False) + "\n",
    }

"""Answers a CSV file with statistics of its columns."""

import base64
import io
import json

from table import CsvProblem, describe


def handler(event, context):
    method = event["requestContext"]["http"]["method"]
    if method != "POST":
        return answer(405, {"error": {"message": "POST a CSV file"}}, {"allow": "POST"})
    delimiter = (event.get("queryStringParameters") or {}).get("delimiter", ",")
    if len(delimiter) != 1 or delimiter in '\r\n"':
        return answer(400, {"error": {"message": "delimiter: expected one character"}})
    try:
        return answer(200, describe(io.StringIO(text_of(event), newline=""), delimiter))
    except CsvProblem as problem:
        return answer(400, {"error": {"message": str(problem), "line": problem.line}})


def text_of(event):
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return body.removeprefix("\ufeff")
    try:
        return base64.b64decode(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = base64.b64decode(body)[: error.start].count(b"\n") + 1
        raise CsvProblem(f"line {line}: not UTF-8", line) from error


def answer(status, value, headers=None):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n",
    }

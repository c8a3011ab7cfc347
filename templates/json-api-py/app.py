"""A JSON API with several paths, without a framework."""

import base64
import json
import math
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


class Refusal(Exception):
    """What the caller did wrong: answered with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def index(event: Event) -> Any:
    return {"try": 'POST /sum with {"numbers": [1, 2, 3]}'}


def add_up(event: Event) -> Any:
    return {"sum": sum(numbers_in(json_of(event)))}


# What each method and path answers; the value becomes JSON.
ROUTES: dict[str, Callable[[Event], Any]] = {"GET /": index, "POST /sum": add_up}


def handler(event: Event, context: Any) -> dict[str, Any]:
    asked = f"{event['requestContext']['http']['method']} {event['rawPath']}"
    try:
        if asked not in ROUTES:
            raise Refusal(404, f"no {asked}; there are {', '.join(ROUTES)}")
        return answer(200, ROUTES[asked](event))
    except Refusal as refusal:
        return answer(refusal.status, {"error": str(refusal)})


def json_of(event: Event) -> Any:
    body = event.get("body") or ""
    try:
        text = base64.b64decode(body).decode() if event.get("isBase64Encoded") else body
        return json.loads(text, parse_constant=refuse_constant)
    except ValueError as error:
        raise Refusal(400, f"expected JSON: {error}") from error


def refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def numbers_in(body: Any) -> list[float]:
    numbers = body.get("numbers") if isinstance(body, dict) else None
    if not isinstance(numbers, list) or not all(is_finite_number(each) for each in numbers):
        raise Refusal(400, 'expected {"numbers": [1, 2, 3]}')
    return numbers


def is_finite_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def answer(status: int, value: Any) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(value),
    }

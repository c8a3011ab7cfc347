import base64
import json


class BadRequest(Exception):
    pass


def index(_body):
    return {"try": 'POST /sum with {"numbers": [1, 2, 3]}'}


def add_up(body):
    numbers = body.get("numbers") if isinstance(body, dict) else None
    if not isinstance(numbers, list) or not all(isinstance(one, int | float) for one in numbers):
        raise BadRequest('expected {"numbers": [...]}')
    return {"sum": sum(numbers)}


ROUTES = {("GET", "/"): index, ("POST", "/sum"): add_up}


def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    route = ROUTES.get((method, path))
    if route is None:
        return answer(404, {"error": f"no {method} {path}"})
    try:
        return answer(200, route(body_of(event)))
    except (BadRequest, json.JSONDecodeError) as error:
        return answer(400, {"error": str(error)})


def body_of(event):
    text = event.get("body") or "null"
    if event.get("isBase64Encoded"):
        text = base64.b64decode(text).decode()
    return json.loads(text)


def answer(status, value):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(value),
    }

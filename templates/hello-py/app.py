"""Greets whoever the query names: /?name=Ada."""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    name = (event.get("queryStringParameters") or {}).get("name", "world")
    print(f"greeting {name}")
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/plain"},
        "body": f"Hello, {name}!\n",
    }

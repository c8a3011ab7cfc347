"""HTTP request to AWS Lambda event, payload format 2.0."""

from __future__ import annotations

import time
from base64 import b64encode
from urllib.parse import parse_qsl, unquote

from .heads import InvocationHead
from .settings import InitSettings

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEXT_TYPES = frozenset(
    (
        "application/json",
        "application/xml",
        "application/javascript",
        "application/x-javascript",
        "application/ecmascript",
        "application/x-www-form-urlencoded",
    )
)


def http_event(head: InvocationHead, settings: InitSettings, body: bytes) -> dict[str, object]:
    """`cookies`, `queryStringParameters`, `pathParameters` and `body` are absent where the request
    has none, as in Lambda."""
    path, _, query = head.target.partition("?")
    headers, cookies = _headers(head.header_lines)
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": head.route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if head.path_parameters:
        event["pathParameters"] = path_parameters(head.path_parameters)
    event["requestContext"] = _request_context(head, path, settings, headers)
    if body:
        text = text_of(body, headers)
        event["body"] = b64encode(body).decode("ascii") if text is None else text
        event["isBase64Encoded"] = text is None
    else:
        event["isBase64Encoded"] = False
    return event


def path_parameters(raw: str) -> dict[str, str]:
    """`id=7&rest=a/b`, percent-encoded as it stood in the path (a plus sign is a plus sign)."""
    pairs = (part.partition("=") for part in raw.split("&"))
    return {unquote(name): unquote(value) for name, _, value in pairs}


def text_of(body: bytes, headers: dict[str, str]) -> str | None:
    """The body as text, where its type says text and its bytes are UTF-8; else None."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_text = kind in _TEXT_TYPES or kind.startswith("text/") or kind.endswith(("+json", "+xml"))
    if not is_text or headers.get("content-encoding", "identity") != "identity":
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _headers(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in zip(lines[::2], lines[1::2]):
        if name == "cookie":
            cookies += [part for part in map(str.strip, value.split(";")) if part]
        elif name in headers:
            headers[name] += "," + value
        else:
            headers[name] = value
    return headers, cookies


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _request_context(
    head: InvocationHead, path: str, settings: InitSettings, headers: dict[str, str]
) -> dict[str, object]:
    now = time.time()
    host, colon, port = headers.get("host", "").rpartition(":")
    if not colon or not port.isdigit():
        host = headers.get("host", "")
    return {
        "accountId": settings.project,
        "apiId": settings.function,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": head.method,
            "path": path,
            "protocol": head.http_version,
            "sourceIp": head.source_address,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": head.id,
        "routeKey": head.route_key,
        "stage": "$default",
        "time": clf_time(now),
        "timeEpoch": int(now * 1000),
    }


# Made anew once a second.
_last_time = (-1, "")


def clf_time(unix: float) -> str:
    """`12/Mar/2020:19:03:58 +0000`, whatever the locale."""
    global _last_time
    second, text = _last_time
    if second == int(unix):
        return text
    at = time.gmtime(unix)
    day = f"{at.tm_mday:02d}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year:04d}"
    text = f"{day}:{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} +0000"
    _last_time = (int(unix), text)
    return text

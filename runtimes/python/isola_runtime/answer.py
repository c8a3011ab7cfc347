"""What a Lambda-style handler returned, to response head and body."""

from __future__ import annotations

import json
from base64 import b64decode

from .heads import BadResponse, header_bytes, response_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_JSON = (b"content-type", b"application/json")
_BINARY = (b"content-type", b"application/octet-stream")


def _default(value: object) -> object:
    """Decimal, which database clients return, becomes a number as in Lambda."""
    kind = type(value)
    if kind.__name__ == "Decimal" and kind.__module__ == "decimal":
        number = float(value)  # type: ignore[arg-type]
        return int(value) if number.is_integer() else number  # type: ignore[call-overload]
    raise TypeError(f"{kind.__name__} is not something JSON can express")


_options = {"allow_nan": False, "separators": (",", ":"), "default": _default}
_encoder = json.JSONEncoder(ensure_ascii=False, **_options)  # type: ignore[arg-type]
_ascii_encoder = json.JSONEncoder(ensure_ascii=True, **_options)  # type: ignore[arg-type]


def json_bytes(value: object) -> bytes:
    """Compact JSON; BadResponse names what JSON cannot express."""
    try:
        try:
            return _encoder.encode(value).encode("utf-8")
        except UnicodeEncodeError:
            # A lone surrogate: JSON has an escape for it, UTF-8 does not.
            return _ascii_encoder.encode(value).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        text = f"the handler returned {_type_name(value)} that is not JSON: {error}"
        raise BadResponse(text) from None


def event_answer(result: object, limit: int) -> tuple[bytes, bytes]:
    """Head and body of the answer to an event."""
    return response_head(200, [_JSON]), _bounded(json_bytes(result), limit)


def http_answer(result: object, limit: int) -> tuple[bytes, bytes]:
    """As Lambda function URLs do it: `statusCode` describes a response, anything else is a body."""
    if isinstance(result, dict) and "statusCode" in result:
        return _described(result, limit)
    if isinstance(result, (bytes, bytearray, memoryview)):
        return response_head(200, [_BINARY]), _bounded(bytes(result), limit)
    body = result.encode("utf-8", "replace") if isinstance(result, str) else json_bytes(result)
    return response_head(200, [_JSON]), _bounded(body, limit)


def _described(result: Mapping[str, object], limit: int) -> tuple[bytes, bytes]:
    body = _bounded(_body(result), limit)
    headers = _headers(result.get("headers"), len(body))
    if body and all(name.lower() != b"content-type" for name, _ in headers):
        headers.append(_JSON)
    cookies = result.get("cookies")
    if cookies is not None:
        if not isinstance(cookies, (list, tuple)):
            raise BadResponse(f"cookies must be a list of strings, not {_type_name(cookies)}")
        headers += [header_bytes("set-cookie", _text("cookie", cookie)) for cookie in cookies]
    return response_head(_status(result["statusCode"]), headers), body


def _status(value: object) -> int:
    if isinstance(value, str) and value.isdigit() and len(value) == 3:
        return int(value)
    # IntEnum members (http.HTTPStatus) are integers; True is not meant as one.
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise BadResponse(f"statusCode must be a whole number, not {value!r:.100}")


def _headers(value: object, body_bytes: int) -> list[tuple[bytes, bytes]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        raise BadResponse(f"headers must be an object, not {_type_name(value)}")
    headers = []
    for name, text in value.items():
        if not isinstance(name, str):
            raise BadResponse(f"header names must be strings, not {name!r:.100}")
        for one in text if isinstance(text, (list, tuple)) else (text,):
            if one is not None:
                headers.append(header_bytes(name, _text(f"header {name}", one)))
    return [pair for pair in headers if not _is_wrong_length(pair, body_bytes)]


def _is_wrong_length(pair: tuple[bytes, bytes], body_bytes: int) -> bool:
    """It would contradict the body; an answer to HEAD may announce one without having it."""
    is_length = pair[0].lower() == b"content-length"
    return is_length and body_bytes > 0 and pair[1] != b"%d" % body_bytes


def _text(what: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise BadResponse(f"{what[:100]} must be a string, not {_type_name(value)}")


def _body(result: Mapping[str, object]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, (int, float)):
        body = _text("body", body)
    if not isinstance(body, str):
        text = f"body must be a string or bytes, not {_type_name(body)}"
        raise BadResponse(f"{text}; encode it with json.dumps")
    if not result.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return b64decode(body, validate=True)
    except ValueError as error:
        raise BadResponse(f"isBase64Encoded is set, but body is not base64: {error}") from None


def _bounded(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise BadResponse(f"the response body of {len(body)} bytes exceeds {limit}")
    return body


def _type_name(value: object) -> str:
    return type(value).__name__

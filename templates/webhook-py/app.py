"""Takes events of a sender that signs them, as GitHub and many others do."""

import base64
import hashlib
import hmac
import json
import os
from typing import Any, Optional

BODY_BYTES_MAX = 1_048_576
SIGNATURE_HEADER = "x-hub-signature-256"
SECRET = os.environ.get("WEBHOOK_SECRET", "")
if not SECRET:
    raise RuntimeError("WEBHOOK_SECRET is not set: give it under env in isola.yaml")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if event["requestContext"]["http"]["method"] != "POST":
        return answer(405, {"error": "expected POST"})
    body = body_of(event)
    if len(body) > BODY_BYTES_MAX:
        return answer(413, {"error": f"expected {BODY_BYTES_MAX} bytes at most"})
    if not is_signed(body, event["headers"].get(SIGNATURE_HEADER), SECRET):
        expected = f"{SIGNATURE_HEADER}: sha256=<HMAC of the body, in hex>"
        return answer(401, {"error": f"expected {expected}"})
    sent = parsed(body)
    if not isinstance(sent, dict) or not isinstance(sent.get("type"), str):
        return answer(400, {"error": 'expected JSON with a "type"'})
    return answer(202, {"accepted": accept(sent)})


def accept(sent: dict[str, Any]) -> str:
    """What is done with an event that is known to come from the sender.

    Senders repeat what was not answered in time.
    """
    print(f"accepted {sent['type']}")
    return str(sent["type"])


def is_signed(body: bytes, header: Optional[str], secret: str) -> bool:
    """Whether `header` is `sha256=` and the HMAC of these very bytes.

    Takes as long for a wrong one as for a right one.
    """
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest((header or "").encode(), f"sha256={expected}".encode())


def body_of(event: dict[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None  # no JSON: refused by the caller


def answer(status: int, value: Any) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(value),
    }

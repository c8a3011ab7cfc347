"""A picture comes in, a smaller one goes out."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

from PIL import Image, UnidentifiedImageError

SIDE_MAX = 1024
PIXELS_MAX = 25_000_000
Image.MAX_IMAGE_PIXELS = PIXELS_MAX


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    del context
    side = (event.get("queryStringParameters") or {}).get("side", "128")
    if not side.isdecimal() or not 1 <= int(side) <= SIDE_MAX:
        return problem(400, f"side must be a whole number from 1 to {SIDE_MAX}")
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(event.get("body") or "")))
        size = picture.size
        picture.thumbnail((int(side), int(side)))
        out = io.BytesIO()
        picture.convert("RGB").save(out, "PNG")
    except (UnidentifiedImageError, Image.DecompressionBombError, binascii.Error, OSError):
        return problem(415, "the body is no picture that can be read")
    return {
        "statusCode": 200,
        "headers": {
            "content-type": "image/png",
            "x-original-size": f"{size[0]}x{size[1]}",
            "x-size": f"{picture.width}x{picture.height}",
        },
        "body": base64.b64encode(out.getvalue()).decode(),
        "isBase64Encoded": True,
    }


def problem(status: int, text: str) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "text/plain"}, "body": text}

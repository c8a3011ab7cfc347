"""Finds number, date and total in the text of an invoice, in English or German."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

NUMBER = re.compile(
    r"\b(?:invoice|rechnung)(?:s?[ -]?(?:number|no\.?|nummer|nr\.?))?[ \t]*[:#][ \t]*"
    r"([A-Z0-9][A-Z0-9/._-]{0,39})",
    re.IGNORECASE,
)
DATE = re.compile(
    r"\b(?:invoice date|rechnungsdatum|date|datum)[ \t]*:?[ \t]*"
    r"(?:(\d{4})-(\d\d)-(\d\d)|(\d{1,2})\.(\d{1,2})\.(\d{4}))\b",
    re.IGNORECASE,
)
CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP"}
CURRENCY = r"(EUR|USD|GBP|CHF|[€$£])?"
DIGITS = r"(\d{1,3}(?:[.,' ]\d{3})*[.,]\d\d|\d{1,9}[.,]\d\d)(?!\d)"
TOTAL = re.compile(
    r"^[ \t]*(?:grand total|total due|amount due|total|gesamtbetrag|summe)\b[^\S\n]*:?[^\S\n]*"
    rf"{CURRENCY}[ \t]*{DIGITS}[ \t]*{CURRENCY}",
    re.IGNORECASE | re.MULTILINE,
)


def fields_of(text: str) -> dict[str, Any]:
    """What is not found is null: a guess would be booked by somebody."""
    number = NUMBER.search(text)
    return {
        "number": number.group(1) if number else None,
        "date": date_of(text),
        "total": total_of(text),
    }


def date_of(text: str) -> str | None:
    match = DATE.search(text)
    if match is None:
        return None
    year, month, day = match.group(1, 2, 3) if match.group(1) else match.group(6, 5, 4)
    try:
        return datetime.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def total_of(text: str) -> dict[str, str | None] | None:
    """The last line that calls itself the total: sums of parts come before that of the whole."""
    matches = list(TOTAL.finditer(text))
    if not matches:
        return None
    before, digits, behind = matches[-1].groups()
    whole, cents = re.sub(r"[.,' ]", "", digits[:-3]), digits[-2:]
    currency = (before or behind or "").upper() or None
    return {
        "amount": str(Decimal(f"{whole}.{cents}")),
        "currency": CURRENCIES.get(currency, currency) if currency else None,
    }

"""Answers that need no code of the function."""

from __future__ import annotations

from .failure import Failure

NOT_AN_EVENT_FUNCTION = Failure(
    "not_an_event_function",
    "NotAnEventFunction",
    "the function is a web application: it answers HTTP requests, not events",
)

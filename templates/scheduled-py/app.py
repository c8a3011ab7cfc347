"""What runs at certain times: works on the day before the time of its event (UTC).

Takes any JSON event: `{"time": "2026-01-31T04:00:00Z"}` of a scheduler, `{}` by hand. The same
event means the same day, so that a run that is repeated does no harm.
"""

from datetime import datetime, timedelta, timezone
from typing import Any


def handler(event: Any, context: Any) -> dict[str, Any]:
    midnight = time_of(event).replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = midnight - timedelta(days=1), midnight
    print(f"run {context.aws_request_id} for {start.isoformat()}")
    return {"from": start.isoformat(), "to": end.isoformat(), **work(start, end)}


def work(start: datetime, end: datetime) -> dict[str, Any]:
    """Here goes the work on what happened from `start` until before `end`."""
    return {"hours": (end - start) / timedelta(hours=1)}


def time_of(event: Any) -> datetime:
    """Raises ValueError where the event has a time that is none."""
    if not isinstance(event, dict) or "time" not in event:
        return datetime.now(timezone.utc)
    given = event["time"]
    try:
        time = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f'expected "time" as 2026-01-31T04:00:00Z, given {given!r}') from None
    return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)

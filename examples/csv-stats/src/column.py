"""One column: finds its type while the values pass by."""

import datetime
import math
import re
import statistics
from array import array
from collections import Counter

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
# No leading zeros: 00501 is a postal code.
INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,14})", re.ASCII)
NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
BOOLEANS = frozenset({"true", "false", "yes", "no"})

TOP_VALUES = 5
DISTINCT_MAX = 10_000
"""Beyond this many different values new ones are no longer counted, and `distinct` and `top` are
null."""


def is_number(value):
    return NUMBER.fullmatch(value) is not None and math.isfinite(float(value))


def is_date(value):
    if DATE.fullmatch(value) is None:
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True


# From the narrowest to the widest; a column has the first that fits all its values.
TYPES = {
    "boolean": lambda value: value.lower() in BOOLEANS,
    "integer": lambda value: INTEGER.fullmatch(value) is not None,
    "number": is_number,
    "date": is_date,
    "text": lambda value: True,
}


class Column:
    def __init__(self, name):
        self.name = name
        self.count = 0
        self.missing = 0
        self._types = dict(TYPES)
        self._numbers = array("d")
        self._dates = None
        self._counts = Counter()

    def add(self, value):
        if value.lower() in MISSING:
            self.missing += 1
            return
        self.count += 1
        for name in [name for name, fits in self._types.items() if not fits(value)]:
            del self._types[name]
        if "number" in self._types:
            self._numbers.append(float(value))
        elif self._numbers:
            self._numbers = array("d")
        if "date" in self._types:
            low, high = self._dates or (value, value)
            self._dates = (min(low, value), max(high, value))
        self._add_count(value)

    def _add_count(self, value):
        if self._counts is None:
            return
        self._counts[value] += 1
        if len(self._counts) > DISTINCT_MAX:
            self._counts = None

    def summary(self):
        kind = next(iter(self._types)) if self.count else "empty"
        counts = self._counts
        common = {
            "name": self.name,
            "type": kind,
            "count": self.count,
            "missing": self.missing,
            "distinct": None if counts is None else len(counts),
        }
        if kind in ("integer", "number"):
            common |= self._spread(int if kind == "integer" else float)
        if kind == "date":
            common |= {"min": self._dates[0], "max": self._dates[1]}
        return common | {"top": None if counts is None else top(counts)}

    def _spread(self, convert):
        values = self._numbers
        mean = statistics.fmean(values)
        # Of a sample, therefore null for a single value.
        deviation = statistics.stdev(values, mean) if len(values) > 1 else None
        return {
            "min": convert(min(values)),
            "max": convert(max(values)),
            "mean": tidy(mean),
            "median": tidy(statistics.median(values)),
            "stdev": None if deviation is None else tidy(deviation),
        }


def tidy(value):
    """Ten significant digits: the rest is noise of the floating point."""
    return float(f"{value:.10g}")


def top(counts):
    """The most frequent values; among equals the one that comes first in the alphabet."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"value": value, "count": count} for value, count in ranked[:TOP_VALUES]]

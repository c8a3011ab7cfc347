"""Reads CSV row by row; only the numbers of numeric columns and the counts of values stay in
memory."""

import csv

from column import Column


class CsvProblem(Exception):
    """The file is not a table; `line` is the line where the bad row begins, from 1."""

    def __init__(self, message, line):
        super().__init__(message)
        self.line = line


def describe(lines, delimiter=","):
    """Statistics of a table whose first row names the columns. `lines` is any iterable of lines,
    so a file of any length will do."""
    rows = numbered_rows(lines, delimiter)
    line, names = next(rows, (1, None))
    if names is None:
        raise CsvProblem("line 1: expected a row of column names, got nothing", 1)
    repeated = {name for name in names if names.count(name) > 1}
    if repeated or "" in names:
        given = f"{sorted(repeated)[0]!r} twice" if repeated else "an empty one"
        raise CsvProblem(f"line {line}: expected distinct column names, got {given}", line)
    columns = [Column(name) for name in names]
    count = 0
    for line, row in rows:
        if len(row) != len(columns):
            message = f"line {line}: expected {len(columns)} fields, got {len(row)}"
            raise CsvProblem(message, line)
        for column, value in zip(columns, row):
            column.add(value)
        count += 1
    return {"rows": count, "columns": [column.summary() for column in columns]}


def numbered_rows(lines, delimiter):
    """Rows with the line each begins on (quoted fields may hold line breaks). Empty lines are left
    out."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CsvProblem(f"line {line}: {error}", line) from error
        if row:
            yield line, [value.strip() for value in row]

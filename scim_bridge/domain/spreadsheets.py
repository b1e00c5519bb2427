"""Lines of CSV that are safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable

# What Excel, LibreOffice and Google Sheets begin a formula with; tab and carriage return are skipped before it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(value: object) -> str:
    """
    Return a cell's text; one that a spreadsheet would run as a formula begins with an apostrophe.

    Names come from identity providers: ``=HYPERLINK(…)`` as a display name must stay a name.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def csv_line(values: Iterable[object]) -> str:
    """Return one line of CSV (RFC 4180), with its end."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow([safe_cell(value) for value in values])
    return written.getvalue()

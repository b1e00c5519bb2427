"""What others send, in a form that a column can hold."""

from typing import overload


@overload
def storable(text: str, longest: int | None = None) -> str: ...
@overload
def storable(text: str | None, longest: int | None = None) -> str | None: ...
def storable(text: str | None, longest: int | None = None) -> str | None:
    """Return a text cut to its column, without NUL, which no text of PostgreSQL can hold."""
    return None if text is None else text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:longest]

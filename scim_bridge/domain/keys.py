"""The form in which names are compared where letter case does not count."""

import unicodedata


def fold(text: str) -> str:
    """Return the key of a text: equal for texts that differ only in case or in how accents are encoded."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())

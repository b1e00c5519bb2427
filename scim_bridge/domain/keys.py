"""The form in which names are compared where letter case does not count."""

import unicodedata


def fold(text: str) -> str:
    """Return the key of a text: equal for texts that differ only in case or in how accents are encoded."""
    if text.isascii():
        return text.lower()
    # Not casefold(): PostgreSQL can say this too (`store.documents`), letter for letter, and filters need it to.
    lowered = unicodedata.normalize("NFC", text).lower()
    return unicodedata.normalize("NFC", lowered.replace("ς", "σ").replace("ß", "ss"))

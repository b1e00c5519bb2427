"""How people look in lists before one has read their name: their initials, on a ground that is always the same."""

from zlib import crc32

TINTS = 6


def initials(name: str | None) -> str:
    """Return one or two letters for a name or an address."""
    letters = "".join(each if each.isalnum() else " " for each in (name or "").partition("@")[0])
    words = letters.split() or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def tint(key: str) -> str:
    """Return the class of a ground that belongs to a key."""
    return f"tint-{crc32(key.encode()) % TINTS}"

"""ETags (RFC 7644 §3.14): a resource's version, weak because ``groups`` and the projection are not part of it."""

ANY = "*"


def etag(version: int) -> str:
    """Return a version as ``meta.version`` and the ETag header have it."""
    return f'W/"{version}"'


def expected_versions(sent: str | None) -> frozenset[int] | None:
    """Return the versions that If-Match names; None if it names none or any. One that is not ours matches nothing."""
    if sent is None or sent.strip() == ANY:
        return None
    texts = (each.strip().removeprefix("W/").strip('"') for each in sent.split(","))
    return frozenset(int(each) for each in texts if each.isascii() and each.isdigit() and len(each) < 19)


def is_known_already(sent: str | None, version: str) -> bool:
    """Say whether If-None-Match names this version."""
    if sent is None:
        return False
    named = expected_versions(sent)
    return named is None or version in {etag(each) for each in named}

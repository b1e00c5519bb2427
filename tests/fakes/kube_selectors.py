"""Label selectors: ``a=b``, ``a!=b``, ``a in (b,c)``, ``a notin (b)``, ``a`` and ``!a``, joined by commas."""

import re
from collections.abc import Callable, Mapping

from tests.fakes.kube_status import bad_request

Labels = Mapping[str, str]
Selector = Callable[[Labels], bool]

KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
VALUE = r"[-A-Za-z0-9_.]*"
EQUALITY = re.compile(rf"({KEY})\s*(==|=|!=)\s*({VALUE})")
MEMBERSHIP = re.compile(rf"({KEY})\s+(in|notin)\s+\(([^()]*)\)")
EXISTENCE = re.compile(rf"(!?)\s*({KEY})")


def parse_selector(text: str) -> Selector:
    """Return what a selector chooses; raises a 400 for what Kubernetes would not take."""
    parts = [_parse(part.strip()) for part in re.split(r",(?![^(]*\))", text)] if text else []
    return lambda labels: all(accepts(labels) for accepts in parts)


def _parse(part: str) -> Selector:
    if found := EQUALITY.fullmatch(part):
        key, operator, value = found.groups()
        return (
            (lambda labels: labels.get(key) != value) if operator == "!=" else lambda labels: labels.get(key) == value
        )
    if found := MEMBERSHIP.fullmatch(part):
        key, operator, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        return lambda labels: (labels.get(key) in values) == (operator == "in")
    if found := EXISTENCE.fullmatch(part):
        absent, key = found.groups()
        return lambda labels: (key in labels) != bool(absent)
    raise bad_request(f"unable to parse requirement: {part!r}")

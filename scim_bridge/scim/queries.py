"""What a list or a search asks for, in a query string or in the body of ``.search`` (RFC 7644 §3.4.2, §3.4.3)."""

from collections.abc import Mapping
from dataclasses import dataclass

from scim_bridge.domain.filters import Attribute, Compare, Filter, Operator
from scim_bridge.domain.paging import Order
from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import USER, ResourceSchema
from scim_bridge.scim.filters import parse_filter
from scim_bridge.scim.projection import WHOLE, Projection, read_projection
from scim_bridge.scim.sorting import read_order
from scim_bridge.settings import Settings

# Beyond what any directory holds, and within what both databases count with.
FARTHEST = 2**31


@dataclass(frozen=True, slots=True)
class Query:
    """
    A page of what a filter finds; ``start`` counts from 1.

    ``cursor`` is None for who counts, and empty for the first page of who goes on by cursors (RFC 9865); it wins.
    """

    filter: Filter | None
    start: int
    count: int
    projection: Projection
    order: Order | None = None
    cursor: str | None = None

    @property
    def offset(self) -> int:
        """Return how many resources come before the page."""
        return self.start - 1


def read_query(asked: Mapping[str, object], schema: ResourceSchema, settings: Settings) -> Query:
    """Return what is asked for by these parameters, whose names are in lower case; raises Invalid."""
    text = asked.get("filter")
    if text is not None and not isinstance(text, str):
        raise Invalid("filter must be a text.", "filter", scim_type="invalidFilter")
    cursor = _cursor(asked)
    return Query(
        parse_filter(text.strip(), schema, settings.max_filter_characters) if text and text.strip() else None,
        # RFC 7644 §3.4.2.4: less than 1 is 1, a negative count is 0.
        min(max(_number(asked, "startIndex", 1), 1), FARTHEST) if cursor is None else 1,
        _count(asked, settings, by_cursor=cursor is not None),
        read_shown(asked, schema),
        read_order(asked.get("sortby"), asked.get("sortorder"), schema),
        cursor,
    )


def read_name(asked: Mapping[str, object], settings: Settings) -> Query | None:
    """
    Return a query of users that asks by userName and nothing else, None for any other one.

    What is wrong with a query is nobody's business before the token was looked at: that too is None.
    """
    if "filter" not in asked:
        return None
    try:
        query = read_query(asked, USER, settings)
    except Invalid:
        return None
    match query.filter:
        case Compare(Attribute(("userName",)), Operator.EQUAL, str()) if query.order is None and query.cursor is None:
            return query
    return None


def read_shown(asked: Mapping[str, object], schema: ResourceSchema) -> Projection:
    """Return which attributes these parameters, whose names are in lower case, ask to see."""
    if not asked:
        return WHOLE
    return read_projection(_names(asked, "attributes"), _names(asked, "excludedAttributes"), schema)


def _names(asked: Mapping[str, object], name: str) -> list[str]:
    sent = asked.get(name.lower())
    texts = sent.split(",") if isinstance(sent, str) else sent if isinstance(sent, list) else []
    if not all(isinstance(each, str) for each in texts) or not isinstance(sent, str | list | None):
        raise Invalid(f"{name} must name attributes.", name)
    return [each.strip() for each in texts if each.strip()]


def _cursor(asked: Mapping[str, object]) -> str | None:
    cursor = asked.get("cursor")
    if not isinstance(cursor, str | None):
        raise Invalid("cursor must be a text.", "cursor", scim_type="invalidCursor")
    return cursor


def _count(asked: Mapping[str, object], settings: Settings, *, by_cursor: bool) -> int:
    most = settings.max_page_size
    if not by_cursor:
        return min(max(_number(asked, "count", settings.default_page_size), 0), most)
    try:
        count = _number(asked, "count", min(settings.default_page_size, most))
    except Invalid as error:
        raise Invalid(str(error), "count", scim_type="invalidCount") from None
    if count > most:
        # RFC 9865 wants it refused where RFC 7644 lets us answer with less.
        raise Invalid(f"count must be at most {most}.", "count", scim_type="invalidCount")
    return max(count, 0)


def _number(asked: Mapping[str, object], name: str, default: int) -> int:
    sent = asked.get(name.lower())
    if sent is None or sent == "":
        return default
    if isinstance(sent, str) and len(sent) <= 20:
        try:
            return int(sent)
        except ValueError:
            pass
    elif isinstance(sent, int) and not isinstance(sent, bool):
        return sent
    raise Invalid(f"{name} must be a whole number.", name)

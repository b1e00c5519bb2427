"""``sortBy`` and ``sortOrder`` (RFC 7644 §3.4.2.3), bound to the attributes of a resource."""

from scim_bridge.domain.paging import Order, SortKind
from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import AttributeType, ResourceSchema
from scim_bridge.scim.filters import Place, Target, is_made_when_answered, parse_path

LONGEST_NAME = 512
DIRECTIONS = {"ascending": False, "descending": True}


def read_order(sort_by: object, sort_order: object, schema: ResourceSchema) -> Order | None:
    """Return the order that is asked for; None if none is. Raises Invalid with the parameter at fault."""
    if sort_by is None or sort_by == "":
        return None
    if not isinstance(sort_by, str):
        raise Invalid("sortBy must name one attribute.", "sortBy")
    descending = _is_descending(sort_order)
    target = parse_path(sort_by.strip(), schema, LONGEST_NAME)
    if target.selector is not None:
        raise Invalid("sortBy must name an attribute; a filter has no place in it.", "sortBy")
    whole = target.place
    if is_made_when_answered(whole, target.part) or whole.path in (("groups",), ("members",)):
        raise Invalid(f"Nothing can be sorted by {sort_by.strip()}: it is made when it is answered.", "sortBy")
    part = _part(target)
    if part is None:
        return Order(whole.path, _kind(whole.type), _is_exact(whole.type), descending=descending)
    kind, exact = _kind(part.type), _is_exact(part.type)
    if whole.type is not None and whole.type.many:
        return Order(part.path, kind, exact, whole.path, descending)
    return Order((*whole.path, *part.path), kind, exact, descending=descending)


def _is_descending(sort_order: object) -> bool:
    if sort_order is None or sort_order == "":
        return False
    known = DIRECTIONS.get(sort_order.strip().lower()) if isinstance(sort_order, str) else None
    if known is None:
        raise Invalid("sortOrder must be ascending or descending.", "sortOrder")
    return known


def _part(target: Target) -> Place | None:
    """Return which part of a complex attribute is compared: the one that is named, or its value."""
    whole = target.place
    if target.part is not None or whole.type is None:
        return target.part
    if not whole.type.is_complex:
        return None
    value = whole.type.parts.get("value")
    if value is None:
        raise Invalid(f"{whole.path[-1]} has several parts: name one of them, as in name.familyName.", "sortBy")
    return Place((value.name,), value)


def _kind(type_: AttributeType | None) -> SortKind:
    if type_ is None:
        return SortKind.ANY
    return SortKind.FLAG if type_.kind == "boolean" else SortKind.TEXT


def _is_exact(type_: AttributeType | None) -> bool:
    return type_ is not None and type_.exact

"""What a request changes of a group's members, read without the list of those it has."""

from collections.abc import Iterable, Iterator

from scim_bridge.domain.filters import Compare, Either, Filter, Operator
from scim_bridge.domain.provisioning import Document, MemberChange
from scim_bridge.errors import Invalid, TooLarge
from scim_bridge.scim import dialects
from scim_bridge.scim.attributes import GROUP
from scim_bridge.scim.filters import LONGEST_PATH, Target, parse_path
from scim_bridge.scim.patching import Operation


def listed_members(body: Document, most: int) -> dict[str, None] | None:
    """Return the members that a whole group is sent with, each once; None if it does not say. Raises TooLarge."""
    sent = next(
        (value for name, value in body.items() if name.lower() in ("members", f"{GROUP.urn}:members".lower())), None
    )
    return None if sent is None else _within(_ids(sent), most)


def part_members(operations: Iterable[Operation], most: int) -> tuple[MemberChange, tuple[Operation, ...]]:
    """
    Return what operations do to members, in their order, and the operations that do something else.

    Raises TooLarge where more than ``most`` members are named.
    """
    change, rest = MemberChange(), []
    for operation in operations:
        target = parse_path(operation.path, GROUP, LONGEST_PATH)
        if target.place.path[0] == "members":
            change = _then(change, operation, target)
        else:
            rest.append(operation)
    _within({**change.add, **change.remove}, most)
    return change, tuple(rest)


def _within(ids: dict[str, None], most: int) -> dict[str, None]:
    if len(ids) > most:
        raise TooLarge(
            f"A request may name at most {most} members; this one names {len(ids)}. Send the others with another one.",
            "members",
        )
    return ids


def _then(change: MemberChange, operation: Operation, target: Target) -> MemberChange:
    if target.part is not None or len(target.place.path) > 1:
        raise Invalid("A member cannot be changed, only added or removed.", operation.path, scim_type="mutability")
    if target.selector is not None:
        return _then_selected(change, operation, target.selector)
    if operation.op == "remove":
        if dialects.names_members_to_remove(operation.value):
            return change.then_remove(_ids(operation.value))
        # Nobody is named: everybody goes, as with a new list that is empty.
        return change.then_replace({})
    if operation.value is None:
        # "Nothing" is not "nobody": a slip in a client's mapping must not empty a group.
        raise Invalid(f"{operation.op} needs a list of members; [] means nobody.", operation.path)
    ids = _ids(operation.value)
    return change.then_add(ids) if operation.op == "add" else change.then_replace(ids)


def _then_selected(change: MemberChange, operation: Operation, selector: Filter) -> MemberChange:
    ids = dict.fromkeys(_named(selector))
    if operation.op == "remove":
        return change.then_remove(ids)
    if operation.op == "add":
        return change.then_add(ids)
    raise Invalid("A member cannot be changed, only added or removed.", operation.path, scim_type="mutability")


def _named(selector: Filter) -> Iterator[str]:
    match selector:
        case Compare(attribute, Operator.EQUAL, str(value)) if attribute.path == ("value",):
            yield value
        case Either(terms):
            for term in terms:
                yield from _named(term)
        case _:
            sentence = 'Members are selected by their value alone: members[value eq "ID"].'
            raise Invalid(sentence, "path", scim_type="invalidFilter")


def _ids(value: object) -> dict[str, None]:
    try:
        return dict.fromkeys(dialects.member_ids(value))
    except ValueError as error:
        raise Invalid(f"The list of members holds {error}.", "members") from None

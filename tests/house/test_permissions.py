"""Every permission of the catalogue guards something here, or is marked as one that others ask about."""

from scim_bridge.api import door
from scim_bridge.api.operations import OPERATIONS
from scim_bridge.identity.catalogue import built_in
from tests.house.source import PACKAGE, modules

assert door.ROOMS

SOURCES = "\n".join(module.text for room in ("identity", "sync", "api") for module in modules(PACKAGE / room))


def _guards() -> set[str]:
    declared = {each.permission for each in OPERATIONS if each.permission is not None}
    granting = {name for name in built_in().descriptions if name.startswith("kubernetes_roles:grant:")}
    # Whoever asks at the very place names the permission in the use case.
    named = {name for name in built_in().descriptions if f'"{name}"' in SOURCES}
    return declared | granting | named


def test_what_guards_nothing_here_is_marked_external() -> None:
    unguarded = set(built_in().descriptions) - _guards()

    assert sorted(unguarded - built_in().external) == []


def test_what_is_marked_external_guards_nothing_here() -> None:
    assert sorted(built_in().external & _guards()) == []


def test_a_route_names_a_permission_of_the_catalogue() -> None:
    declared = {each.permission for each in OPERATIONS if each.permission is not None}

    assert sorted(declared - set(built_in().descriptions)) == []

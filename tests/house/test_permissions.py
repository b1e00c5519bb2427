"""Every permission of the catalogue guards something here, or is marked as one that others ask about."""

import re

from scim_bridge.api import door
from scim_bridge.api.operations import OPERATIONS
from scim_bridge.identity.catalogue import built_in
from tests.house.source import PACKAGE, modules

assert door.PREFIX

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


# Verbs that concern the machine itself, or that look at what no other machine may ask for: they say so with --url.
AT_HOME = {
    "backups.py": "copies the whole database, and the keys of this machine",
    "clusters.py": "registers folders and in-cluster targets, whose paths are this machine's",
    "directory_doctor.py": "talks to this installation's own address",
    "directory_log.py": "shows requests that are nobody's",
    "doctor.py": "looks at this machine",
    "freezes.py": "freezes the whole installation",
    "keys.py": "changes the keys of this machine",
    "organization_documents.py": "reads the file's kubeconfigs from this machine",
    "organizations.py": "creates an organization for somebody else",
    "history.py": "watches the database",
    "session.py": "opens the database",
    "sessions.py": "prints a link that signs somebody in: only whoever has the machine may",
}


def test_every_other_verb_goes_through_the_routes_and_so_asks_for_their_permission() -> None:
    importing = re.compile(r"^\s+from scim_bridge\.(identity|sync)[. ]", re.MULTILINE)
    typed = re.compile(r"if TYPE_CHECKING:\n(?:    .*\n)+")

    direct = {
        module.path.name
        for module in modules(PACKAGE / "cli")
        if module.path.parent.name == "cli" and importing.search(typed.sub("", module.text))
    }

    assert direct == set(AT_HOME)

"""
What one screen is: its address, whom it lets in and what it is called, declared in one place.

A view is a function of the `Visit`; the declaration above it is what the door, its menu and the tests of every screen
go by. ``docs/console.md`` says how one is written.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from flask import Response

from scim_bridge.domain.actors import Actor
from scim_bridge.errors import Invalid, Refused
from scim_bridge.identity.admission import Guest
from scim_bridge.identity.runtime import Database, Runtime
from scim_bridge.identity.sessions import Visitor

View = Callable[..., Response]
NUL = "\x00"
LONGEST_TEXT = 4096


class Lacking(Refused):
    """A screen asks for a permission that whoever came does not hold."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"You lack the permission {permission} here.")
        self.permission = permission


class Entrance(StrEnum):
    """Whom a screen lets in."""

    SIGNED_IN = "signed in"
    """Whoever has a session; the use case shows them only what is theirs."""
    MEMBER = "member"
    """An active member of the organization in the path; with a permission, who holds it at the organization."""
    SOMEWHERE = "somewhere"
    """Who holds the permission at some place of the organization; the use case asks about the very place."""


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen; ``in_menu``: the menu leads to it when it shows the room; ``is_file``: it is kept, not shown."""

    method: str
    path: str
    view: View
    title: str
    permission: str | None
    entrance: Entrance
    in_menu: bool = False
    is_file: bool = False

    @property
    def room(self) -> str:
        """Return the module that it is in."""
        return self.view.__module__.rpartition(".")[2]

    @property
    def name(self) -> str:
        """Return what it is linked to by, such as ``members.show``."""
        return f"{self.room}.{self.view.__name__.rstrip('_')}"

    @property
    def place(self) -> str:
        """Return the part of the organization that it is about: the first word of its path."""
        return self.path.removeprefix(IN_ORGANIZATION).strip("/").partition("/")[0]

    def is_open_to(self, guest: Guest | None) -> bool:
        """Say whether somebody may see it."""
        if self.permission is None:
            return True
        if guest is None:
            return False
        return self.permission in (guest.anywhere if self.entrance is Entrance.SOMEWHERE else guest.here)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that was let in: who asks, in which organization (None where the path has none), for what."""

    runtime: Runtime
    visitor: Visitor
    request_id: str
    screen: Screen
    guest: Guest | None = None
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, list[str]] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """Return the database."""
        return self.runtime.database

    @property
    def actor(self) -> Actor:
        """Return who asks, as use cases want to know it."""
        return self.visitor.actor

    @property
    def organization(self) -> str:
        """Return the id of the organization in the path."""
        assert self.guest is not None
        return self.guest.organization_id

    @property
    def whose(self) -> tuple[Database, Actor, str]:
        """Return what most use cases begin with: the database, who asks, and the organization."""
        return self.database, self.actor, self.organization

    def may(self, permission: str, *, anywhere: bool = False) -> bool:
        """Say whether whoever asks holds a permission at the organization, or at some place of it."""
        if self.guest is None:
            return False
        return permission in (self.guest.anywhere if anywhere else self.guest.here)

    def asked(self, name: str) -> str | None:
        """Return what the query says; None for nothing, as an empty field of a filter means."""
        return self.query.get(name, "").strip() or None

    def number(self, name: str) -> int | None:
        """Return a number of the query; raises Invalid for what is none."""
        text = self.asked(name)
        if text is None:
            return None
        if not text.isdecimal() or len(text) > 9:
            raise Invalid("That is no number.", field=name)
        return int(text)

    def given(self, name: str) -> str:
        """Return what a field of the form holds, "" for nothing."""
        return (self.form.get(name) or [""])[-1].strip()


SCREENS: list[Screen] = []
"""Every screen of the door, in the order in which the rooms declare them."""

IN_ORGANIZATION = "/<organization>"


def find_screen(name: str) -> Screen | None:
    """Return the screen of a name; None for one that there is not."""
    return next((each for each in SCREENS if each.name == name), None)


def is_inside(name: str) -> bool:
    """Say whether the screen of a name is one of an organization."""
    found = find_screen(name)
    return found is not None and found.path.startswith(IN_ORGANIZATION)


def screen(
    method: str,
    path: str,
    *,
    title: str,
    permission: str | None = None,
    entrance: Entrance = Entrance.MEMBER,
    in_menu: bool = False,
    is_file: bool = False,
) -> Callable[[View], View]:
    """Declare a screen; a path is below the organization's own unless the entrance is for everybody signed in."""

    def declare(view: View) -> View:
        full = path if entrance is Entrance.SIGNED_IN else IN_ORGANIZATION + path
        SCREENS.append(Screen(method, full, view, title, permission, entrance, in_menu, is_file))
        return view

    return declare

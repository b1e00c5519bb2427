"""The menu: the rooms in their sections. A room is in it once one of its screens is declared with ``in_menu``."""

from dataclasses import dataclass

from scim_bridge.console.screens import SCREENS, Visit


@dataclass(frozen=True, slots=True)
class Room:
    """One entry: the module's name, and how people read it."""

    name: str
    label: str
    icon: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as a visitor sees it; ``screen`` is the name of the screen that it leads to."""

    label: str
    icon: str
    screen: str
    is_current: bool


SECTIONS: tuple[tuple[str, tuple[Room, ...]], ...] = (
    ("", (Room("overview", "Overview", "gauge"),)),
    (
        "Access management",
        (
            Room("members", "Members", "people"),
            Room("groups", "Groups", "group"),
            Room("invitations", "Invitations", "mail"),
            Room("roles", "Roles", "role"),
            Room("rules", "Rules", "rule"),
        ),
    ),
    (
        "Sources and targets",
        (
            Room("organization", "Organization", "tree"),
            Room("directories", "Directories", "directory"),
            Room("clusters", "Clusters", "cluster"),
        ),
    ),
    (
        "Answers",
        (
            Room("explorer", "Access explorer", "why"),
            Room("audit", "Audit", "audit"),
        ),
    ),
    ("You", (Room("profile", "My profile", "person"),)),
)


def menu_of(visit: Visit) -> list[tuple[str, list[Link]]]:
    """Return the sections that a visitor sees, each with the rooms that are open to them."""
    doors = {each.room: each for each in SCREENS if each.in_menu and each.is_open_to(visit.guest)}
    found = []
    for section, rooms in SECTIONS:
        links = [
            Link(room.label, room.icon, doors[room.name].name, doors[room.name].place == visit.screen.place)
            for room in rooms
            if room.name in doors
        ]
        if links:
            found.append((section, links))
    return found

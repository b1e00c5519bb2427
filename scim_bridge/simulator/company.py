"""
A company as its identity provider knows it: who works there, and who is in which group.

The same seed makes the same company and the same newcomers, so that a run can be repeated and compared.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

from scim_bridge.errors import Invalid, NotFound
from scim_bridge.simulator.names import DEPARTMENTS, FAMILY_NAMES, GIVEN_NAMES, GROUP_ROLES, TITLES


@dataclass(frozen=True)
class Person:
    """Somebody who works there; ``key`` is the identity provider's own id and outlives every rename."""

    key: str
    user_name: str
    given_name: str
    family_name: str
    department: str
    title: str
    phone: str
    employee_number: str
    manager: str | None = None

    @property
    def display_name(self) -> str:
        """Return the name as people say it."""
        return f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True)
class Group:
    """A group of the identity provider; ``key`` is its own id and outlives every rename."""

    key: str
    name: str


class Company:
    """
    The people, the groups and who is in them. The identity providers change it, and tell the bridge.

    People who left stay in their groups, as both IdPs keep them, until they are forgotten.
    """

    def __init__(self, domain: str = "acme.example", seed: int = 1) -> None:
        self.domain = domain
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.left: dict[str, None] = {}
        self._members: dict[str, dict[str, None]] = {}
        self._taken: set[str] = set()
        self._numbers = 0
        self.random = Random(f"{seed}/{domain}")  # noqa: S311 - it has to be repeatable, and guards nothing

    @classmethod
    def of(cls, groups: Mapping[str, Sequence[str]], domain: str = "acme.example", seed: int = 1) -> "Company":
        """Make a company of named groups and the full names of who is in them: {"admins": ["Ada Keller"]}."""
        company = cls(domain, seed)
        for full_name in dict.fromkeys(name for members in groups.values() for name in members):
            company.employ(company.newcomer(full_name))
        for group_name, members in groups.items():
            company.found_group(group_name, [company.person(full_name) for full_name in members])
        return company

    @classmethod
    def generate(
        cls,
        users: int,
        groups: int,
        seed: int = 1,
        domain: str = "acme.example",
        group_names: Sequence[str] = (),
    ) -> "Company":
        """Make a company of that size; the first groups are called as asked, the others as teams are."""
        if users < 0 or groups < 0:
            raise Invalid("A company has no fewer than 0 users and 0 groups.")
        company = cls(domain, seed)
        for _ in range(users):
            company.employ(company.newcomer())
        people = list(company.people.values())
        for name in _group_names(groups, group_names):
            company.found_group(name, [])
        for number, person in enumerate(people if company.groups else []):
            company._place(person, number)
        return company

    def newcomer(self, full_name: str | None = None, department: str | None = None) -> Person:
        """Make somebody who does not work there yet; their userName is taken from now on."""
        given, _, family = (full_name or self._invent_name()).partition(" ")
        first = next(iter(self.people), None)
        self._numbers += 1
        return Person(
            key=self._new_key(),
            user_name=self._new_user_name(given, family),
            given_name=given,
            family_name=family,
            department=department or self.random.choice(DEPARTMENTS),
            title=self.random.choice(TITLES),
            # Digits alone, as the company's own system keeps them: what is stored may not be prettier.
            phone=f"4930{self.random.randrange(10**7):07}",
            employee_number=f"E{self._numbers:05}",
            manager=first if self._numbers % 5 == 0 else None,
        )

    def person(self, name: str) -> Person:
        """Find somebody by userName or by full name; raises NotFound."""
        for person in self.people.values():
            if name in (person.user_name, person.display_name):
                return person
        raise NotFound(f"Nobody at {self.domain} is called {name}.")

    def group(self, name: str) -> Group:
        """Find a group by its name; raises NotFound."""
        for group in self.groups.values():
            if group.name == name:
                return group
        raise NotFound(f"{self.domain} has no group {name}.")

    def members(self, group: Group) -> list[Person]:
        """Return who is in the group, those who left the company too, in the order they came."""
        return [self.people[key] for key in self._members[group.key]]

    def groups_of(self, person: Person) -> list[Group]:
        """Return the groups that somebody is in."""
        return [group for group in self.groups.values() if person.key in self._members[group.key]]

    def working(self) -> list[Person]:
        """Return everybody who has not left."""
        return [person for person in self.people.values() if person.key not in self.left]

    def employ(self, person: Person) -> None:
        """Take somebody in, or back."""
        self.people[person.key] = person
        self.left.pop(person.key, None)
        self._taken.add(person.user_name)

    def see_off(self, person: Person) -> None:
        """Let somebody leave; the groups keep them."""
        self.left[person.key] = None

    def forget(self, person: Person) -> None:
        """Delete somebody who left, out of all groups too; the userName stays theirs if they ever return."""
        del self.people[person.key]
        self.left.pop(person.key, None)
        for members in self._members.values():
            members.pop(person.key, None)

    def found_group(self, name: str, members: Iterable[Person]) -> Group:
        """Make a group of people; raises Invalid if one of that name exists."""
        if any(group.name == name for group in self.groups.values()):
            raise Invalid(f"{self.domain} has a group {name} already.")
        group = Group(self._new_key(), name)
        self.groups[group.key] = group
        self._members[group.key] = {person.key: None for person in members}
        return group

    def regroup(self, group: Group, added: Iterable[Person] = (), removed: Iterable[Person] = ()) -> None:
        """Take people out of a group, then others in."""
        for person in removed:
            self._members[group.key].pop(person.key, None)
        self._members[group.key].update({person.key: None for person in added})

    def rename_group(self, group: Group, name: str) -> Group:
        """Give a group another name."""
        self.groups[group.key] = replace(group, name=name)
        return self.groups[group.key]

    def disband(self, group: Group) -> None:
        """Take a group away; its people stay."""
        del self.groups[group.key]
        del self._members[group.key]

    def married(self, person: Person, family_name: str | None = None) -> Person:
        """Return the person with another family name, and with the userName that follows from it."""
        others = [name for name in FAMILY_NAMES if name != person.family_name]
        family = family_name or self.random.choice(others)
        return replace(person, family_name=family, user_name=self._new_user_name(person.given_name, family))

    def _place(self, person: Person, number: int) -> None:
        groups = list(self.groups.values())
        self.regroup(groups[number % len(groups)], added=[person])
        if self.random.random() < 0.3:
            self.regroup(self.random.choice(groups), added=[person])

    def _invent_name(self) -> str:
        return f"{self.random.choice(GIVEN_NAMES)} {self.random.choice(FAMILY_NAMES)}"

    def _new_key(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _new_user_name(self, given: str, family: str) -> str:
        stem = f"{_ascii(given)}.{_ascii(family)}".strip(".")
        number, name = 1, f"{stem}@{self.domain}"
        while name in self._taken:
            number += 1
            name = f"{stem}{number}@{self.domain}"
        self._taken.add(name)
        return name


def _group_names(count: int, chosen: Sequence[str]) -> list[str]:
    teams = [f"{team.lower()}-{role}" for role in GROUP_ROLES for team in DEPARTMENTS]
    rounds = (f"{name}-{turn}" if turn > 1 else name for turn in range(1, count // len(teams) + 2) for name in teams)
    return list(dict.fromkeys((*chosen, *rounds)))[: max(count, len(chosen))]


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalnum())

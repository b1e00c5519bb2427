"""The application with its console, an organization with something of everything in it, and people with browsers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from pydantic import SecretStr

from scim_bridge.app import create_app, open_runtime
from scim_bridge.console import door
from scim_bridge.console.screens import SCREENS, Screen
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import (
    accounts,
    cluster_sign_in,
    directories,
    grants,
    hand_groups,
    organizations,
    provisioning_log,
)
from scim_bridge.identity.cluster_sign_in import SignInWanted
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.provisioning_log import Wanted
from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from tests.console.access_things import access_things
from tests.identity import rows
from tests.identity.signing_in import TERMINAL, put_person, sign_in
from tests.identity.signing_in import Person as Person
from tests.login.world import Browser

assert door.PREFIX  # importing the door declares every screen

SOME_ID = "01a20000-0000-7000-8000-000000000000"
PASSWORD = "seven blue horses on a hill"
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
PEOPLE = (
    ("Ana", "García"),
    ("Bram", "de Vries"),
    ("Chidi", "Okafor"),
    ("Dana", "Novák"),
    ("Elif", "Yılmaz"),
    ("Farid", "Haddad"),
    ("Grace", "Kim"),
    ("Hugo", "Lindqvist"),
    ("Ines", "Moreau"),
    ("Jonas", "Weber"),
)
GROUPS = {"Platform admins": 2, "Payments developers": 5, "On call": 3}


@dataclass
class Console:
    """The application, what is in it, and who comes to it."""

    app: Flask
    runtime: Runtime
    people: dict[tuple[str, str], Person] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """Return the database."""
        return self.runtime.database

    def person(self, name: str, role: str | None = None, organization: str = "acme") -> Person:
        """Return a member, the same one each time, with an API role in the whole organization if one is named."""
        if (organization, name) not in self.people:
            made = put_person(self.database, name, organization)
            if role is not None:
                wanted = GrantWanted("organization", person=made.email, api_role=role)
                grants.add(self.database, TERMINAL, organization, wanted)
            self.people[organization, name] = made
        return self.people[organization, name]

    def browser(self, person: Person | None = None) -> Browser:
        """Return a browser, of somebody who has signed in if they are named."""
        browser = Browser(self.app.test_client())
        if person is not None:
            begun = sign_in(self.database, person)
            secure = self.runtime.settings.base_url.startswith("https://")
            name = f"{'__Host-' if secure else ''}scim-bridge-session"
            browser.client.set_cookie(name, begun.text, domain="localhost", secure=secure)
        return browser

    def owner(self) -> Browser:
        """Return a browser of acme's owner, who has seen a page with a form."""
        browser = self.browser(self.person("olga", "owner"))
        browser.get("/console/acme")
        return browser

    def password_of(self, person: Person) -> str:
        """Let somebody have a password, and return it."""
        link = accounts.make_link(self.database, TERMINAL, person.email)
        accounts.set_password(self.database, link.path.rpartition("/")[2], PASSWORD)
        return PASSWORD

    def path(self, screen: Screen, organization: str = "acme", *, real: bool = False) -> str:
        """Return the address of a screen, of things that are there or of things that nobody has."""
        path = screen.path.replace("<organization>", organization)
        while "<" in path:
            before, _, rest = path.partition("<")
            name, _, after = rest.partition(">")
            known = self.objects.get(f"{name} of {screen.name}", self.objects.get(name))
            assert not real or known, f"tests/console/world.py has no example of <{name}>: fill() it"
            path = before + (known if real and known else SOME_ID) + after
        return "/console" + path

    def fill(self, *, hostile: str = HOSTILE) -> None:
        """Put something of everything into acme, some of it with a hostile name, and remember one of each."""
        connected = directories.create(self.database, TERMINAL, "acme", "okta", DirectoryKind.OKTA)
        assert connected.token is not None
        scim = Scim(self.app, connected.token.text)
        waiting = directories.create(self.database, TERMINAL, "acme", "entra", DirectoryKind.ENTRA, pending=True)
        assert waiting.token is not None
        Scim(self.app, waiting.token.text).user("kofi", "Kofi Mensah")
        ids = [scim.user(f"{first}.{last}".lower().replace(" ", "-"), f"{first} {last}") for first, last in PEOPLE]
        for name, count in GROUPS.items():
            scim.post("Groups", displayName=name, members=[{"value": each} for each in ids[:count]])
        mallory = scim.user("mallory", hostile, externalId=hostile, title=hostile)
        scim.post("Groups", displayName=hostile, members=[{"value": mallory}])
        for name in ("prod-eu", "staging-eu"):
            rows.put_cluster(self.database, name)
        for group, role in (("Platform admins", "edit"), (hostile, "view")):
            grants.add(self.database, TERMINAL, "acme", GrantWanted("organization", group=group, kubernetes_role=role))
        wanted = SignInWanted("https://acme.okta.com", "kubernetes", server="https://prod-eu.example:6443")
        cluster_sign_in.change(self.database, self.runtime.keyring, TERMINAL, "acme", "prod-eu", wanted)
        olga = self.person("olga").email
        grants.add(self.database, TERMINAL, "acme", GrantWanted("organization", person=olga, kubernetes_role="view"))
        made = hand_groups.create(self.database, TERMINAL, "acme", "Release managers", None)
        scim.leave(ids[-1])
        with self.database.read() as connection:
            organization = rows.organization_id(connection)
        self.objects = {
            "organization": organization,
            "member": scim.member(self.database, "mallory@acme.example"),
            "group": made.id,
            "cluster": "prod-eu",
            "directory": "okta",
            "directory of directory_states.ask_activate": "entra",
            "directory of directory_states.ask_purge": "entra",
            "token": directories.show(self.database, "acme", "okta").tokens[0].id,
            "entry": provisioning_log.list_entries(self.database, "acme", "okta", Wanted()).entries[0].request.id,
        }
        self.objects |= access_things(self, made.id)


@dataclass
class Scim:
    """An identity provider that provisions."""

    app: Flask
    token: str

    def post(self, kind: str, **body: Any) -> str:
        """Create something, and return its id."""
        return str(self._send("POST", f"/{kind}", body)["id"])

    def user(self, name: str, display_name: str, **more: Any) -> str:
        """Create a user."""
        body = {"userName": f"{name}@acme.example", "displayName": display_name, "active": True, **more}
        return self.post("Users", name={"formatted": display_name}, **body)

    def put_into(self, group_id: str, user_id: str) -> None:
        """Put somebody into a group."""
        operation = {"op": "add", "path": "members", "value": [{"value": user_id}]}
        self._send("PATCH", f"/Groups/{group_id}", {"Operations": [operation]})

    def leave(self, user_id: str) -> None:
        """Let somebody leave."""
        operation = {"op": "replace", "path": "active", "value": False}
        self._send("PATCH", f"/Users/{user_id}", {"Operations": [operation]})

    def member(self, database: Database, email: str) -> str:
        """Return the member that a user is."""
        from scim_bridge.identity import member_profiles

        return member_profiles.show(database, "acme", email).member.id

    def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        answer = self.app.test_client().open(f"/scim/v2{path}", method=method, data=orjson.dumps(body), headers=headers)
        assert answer.status_code < 300, answer.text
        return orjson.loads(answer.data) if answer.data else {}


@contextmanager
def open_console(url: str, home: Path, **settings: Any) -> Iterator[Console]:
    """Open an application on a database that is migrated already, with the organization acme and its owner."""
    values = {"base_url": "https://bridge.example", "refused_per_minute": 100_000, "requests_burst": 100_000}
    chosen = Settings(home=home, database_url=SecretStr(url), **{**values, **settings})
    runtime = open_runtime(chosen)
    console = Console(create_app(chosen, runtime), runtime)
    organizations.create(runtime.database, TERMINAL, "acme", name="Acme Corporation")
    console.person("olga", "owner")
    yield console
    runtime.database.dispose()


def screens(method: str | None = None) -> list[Screen]:
    """Return the screens of the console, all or those of one method."""
    return [each for each in SCREENS if method in (None, each.method)]


def name_of(screen: Screen) -> str:
    """Return how a test of a screen is called."""
    return f"{screen.method} {screen.path}"

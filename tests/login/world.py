"""The application with its login door, a directory's people, and browsers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import Client, TestResponse

from scim_bridge.app import create_app, open_runtime
from scim_bridge.domain.identity_providers import IdentityProviderWanted
from scim_bridge.domain.people import DirectoryKind, GroupId, MemberId
from scim_bridge.identity import directories, identity_providers, organizations
from scim_bridge.identity.identity_providers import IdentityProviderView
from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import Settings
from scim_bridge.store import schema
from scim_bridge.store.database import Database
from tests.fakes.oidc_provider import CLIENT, SECRET, OpenIdProvider
from tests.identity import rows
from tests.identity.signing_in import TERMINAL

TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')
ADDRESS = "203.0.113.7"


@dataclass
class Browser:
    """A browser with its own cookies."""

    client: Client
    address: str = ADDRESS
    page: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> TestResponse:
        """Open an address; redirects are looked at, not followed."""
        where = {"REMOTE_ADDR": self.address}
        # Buffered: read to its end and closed, as a server does with an answer that is out.
        return self._keep(self.client.get(path, environ_base=where, headers=self.headers, buffered=True))

    def post(self, path: str, form: dict[str, str] | None = None, *, token: str | None = None) -> TestResponse:
        """Send a form with the token of the page that the browser saw last."""
        sent = {"csrf_token": token if token is not None else self.token, **(form or {})}
        where = {"REMOTE_ADDR": self.address}
        return self._keep(self.client.post(path, data=sent, environ_base=where, headers=self.headers, buffered=True))

    @property
    def token(self) -> str:
        """Return the forms' token of the page that the browser saw last."""
        found = TOKEN.search(self.page)
        assert found is not None, self.page
        return found[1]

    def cookie(self, kind: str) -> str | None:
        """Return the value of a cookie of ours."""
        found = self.client.get_cookie(f"__Host-scim-bridge-{kind}")
        return None if found is None else found.value

    def is_signed_in(self) -> bool:
        """Say whether the account's page opens."""
        return self.get("/account").status_code == 200

    def _keep(self, answer: TestResponse) -> TestResponse:
        if answer.mimetype == "text/html" and answer.data:
            self.page = answer.text
        return answer


@dataclass
class Login:
    """The application, what is in it, and the provider that signs its people in."""

    app: Flask
    runtime: Runtime
    provider: OpenIdProvider

    @property
    def database(self) -> Database:
        """Return the database."""
        return self.runtime.database

    def browser(self, address: str = ADDRESS) -> Browser:
        """Return a browser that was never here."""
        return Browser(self.app.test_client(), address)

    def directory(self, kind: DirectoryKind = DirectoryKind.OKTA, name: str = "okta", slug: str = "acme") -> None:
        """Connect a directory."""
        organizations.create(self.database, TERMINAL, slug)
        directories.create(self.database, TERMINAL, slug, name, kind)

    def add(self, slug: str = "acme", **wanted: Any) -> IdentityProviderView:
        """Let the provider sign in a directory's people."""
        values = {"name": "okta", "directory": "okta", "issuer": self.provider.issuer, "client_id": CLIENT}
        asked = IdentityProviderWanted(**(values | wanted))
        return identity_providers.add(self.database, self.runtime.keyring, TERMINAL, slug, asked, SECRET)

    def person(self, name: str = "ana", external_id: str = "00u1", directory: str = "okta") -> MemberId:
        """Bring somebody as the directory does."""
        with self.database.write() as connection:
            change = rows.begin(connection)
            user_id, member_id = rows.put_user(
                connection, change, f"{name}@acme.example", rows.directory_id(connection, directory)
            )
            carrying = sa.update(schema.scim_user).where(schema.scim_user.c.id == user_id)
            connection.execute(carrying.values(external_id=external_id))
        return member_id

    def group(self, name: str, external_id: str | None = None) -> GroupId:
        """Bring a group as the directory does."""
        with self.database.write() as connection:
            change = rows.begin(connection)
            return rows.put_group(connection, change, name, rows.directory_id(connection), external_id)

    def come(self, browser: Browser, view: IdentityProviderView, query: str = "") -> TestResponse:
        """Sign in by the provider, and return what the browser sees when it is back."""
        sent = browser.get(f"/login/with/{view.id}{query}")
        assert sent.status_code == 303, sent.text
        return browser.get(self.provider.sign_in(sent.headers["Location"]))

    def groups_of(self, member_id: MemberId) -> dict[str, str]:
        """Return the groups that somebody is in, with where that comes from."""
        with self.database.read() as connection:
            query = (
                sa.select(schema.user_group.c.display_name, schema.membership.c.origin)
                .join(schema.membership, schema.membership.c.group_id == schema.user_group.c.id)
                .where(schema.membership.c.member_id == member_id, schema.membership.c.valid_to.is_(None))
            )
            return {row.display_name: row.origin for row in connection.execute(query)}

    def audit(self, action: str) -> list[str]:
        """Return the details of every audit entry of a kind."""
        with self.database.read() as connection:
            entry = schema.audit_entry.c
            query = sa.select(entry.detail).where(entry.action == action).order_by(entry.id)
            return list(connection.execute(query).scalars())


@contextmanager
def open_login(url: str, home: Path, provider: OpenIdProvider, **settings: Any) -> Iterator[Login]:
    """Open an application on a database that is migrated already."""
    values = {"base_url": "https://bridge.example", **settings}
    chosen = Settings(home=home, database_url=SecretStr(url), **values)
    runtime = open_runtime(chosen)
    login = Login(create_app(chosen, runtime), runtime, provider)
    login.directory()
    yield login
    runtime.database.dispose()

"""What one run of the command line works with; opened only when a verb needs it, so that --help stays quick."""

import getpass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from scim_bridge.errors import Invalid

if TYPE_CHECKING:
    from scim_bridge.cli.client import Api
    from scim_bridge.domain.actors import Actor
    from scim_bridge.identity.runtime import Database, Runtime
    from scim_bridge.settings import Settings
    from scim_bridge.sync.single import Workshop


class Session:
    """The settings, the database and the person of one command."""

    def __init__(self, config: Path | None, url: str | None = None, token: str | None = None) -> None:
        self.config = config
        self.url = url
        self._token = token

    @cached_property
    def settings(self) -> "Settings":
        """Read the settings; raises SettingsError."""
        from scim_bridge.settings import load_settings

        return load_settings(self.config)

    @cached_property
    def api(self) -> "Api":
        """Return the API: of the installation at ``--url``, else of this one."""
        from scim_bridge.cli import client

        return client.remote(self.url, self._token) if self.url else client.local(self.runtime, self.actor)

    def of(self, organization: str | None) -> str:
        """Return the path in the API of the organization that was named, or of the only one there is."""
        from scim_bridge.cli.client import segment

        return f"/organizations/{segment(self.organization(organization))}"

    @cached_property
    def runtime(self) -> "Runtime":
        """Open the database and the keys; raises StoreError, and Invalid for a verb that works at the terminal only."""
        from scim_bridge.app import open_runtime

        if self.url:
            raise Invalid("This verb works at the installation itself: leave --url out.", field="url")
        return open_runtime(self.settings)

    @cached_property
    def workshop(self) -> "Workshop":
        """Return what passes are made with."""
        from scim_bridge.app import open_workshop

        return open_workshop(self.runtime)

    def close(self) -> None:
        """Give back what was opened."""
        if "runtime" in self.__dict__:
            self.runtime.database.dispose()

    @property
    def database(self) -> "Database":
        """Return the database."""
        return self.runtime.database

    @property
    def actor(self) -> "Actor":
        """Return who types: the operating system's user."""
        from scim_bridge.domain.actors import Actor, ActorKind

        return Actor(ActorKind.CLI, _user())

    def organization(self, named: str | None) -> str:
        """Return the organization that was named, or the only one there is; raises Invalid when that is unclear."""
        if named is not None:
            return named
        slugs = self._slugs()
        if len(slugs) == 1:
            return slugs[0]
        if not slugs:
            raise Invalid("There is no organization yet: `scim-bridge organization create SLUG` makes one.")
        raise Invalid(f"Say which organization with --organization: {', '.join(slugs)}.", field="organization")

    def _slugs(self) -> list[str]:
        if self.url:
            return [str(each["slug"]) for each in self.api.every("/organizations")]
        from scim_bridge.identity import organizations

        return [each.slug for each in organizations.list_all(self.database)]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user often has a number and no name.
        return "cli"

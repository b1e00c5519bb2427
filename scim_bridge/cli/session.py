"""What one run of the command line works with; opened only when a verb needs it, so that --help stays quick."""

import getpass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from scim_bridge.errors import Invalid

if TYPE_CHECKING:
    from scim_bridge.domain.actors import Actor
    from scim_bridge.identity.runtime import Database, Runtime
    from scim_bridge.settings import Settings
    from scim_bridge.sync.single import Workshop


class Session:
    """The settings, the database and the person of one command."""

    def __init__(self, config: Path | None) -> None:
        self.config = config

    @cached_property
    def settings(self) -> "Settings":
        """Read the settings; raises SettingsError."""
        from scim_bridge.settings import load_settings

        return load_settings(self.config)

    @cached_property
    def runtime(self) -> "Runtime":
        """Open the database and the keys; raises StoreError."""
        from scim_bridge.app import open_runtime

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
        from scim_bridge.identity import organizations

        slugs = [each.slug for each in organizations.list_all(self.database)]
        if len(slugs) == 1:
            return slugs[0]
        if not slugs:
            raise Invalid("There is no organization yet: `scim-bridge organization create SLUG` makes one.")
        raise Invalid(f"Say which organization with --organization: {', '.join(slugs)}.", field="organization")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user often has a number and no name.
        return "cli"

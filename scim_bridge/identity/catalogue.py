"""What every role allows: the catalogue in `config/roles.toml`, and the roles that an organization adds itself."""

import tomllib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.permissions import Catalogue, parse_catalogue
from scim_bridge.store.database import Connection
from scim_bridge.store.explain import When
from scim_bridge.store.roles import custom_roles, custom_roles_then

FILE = "roles.toml"


@lru_cache(maxsize=1)
def built_in() -> Catalogue:
    """Return the catalogue of this release."""
    package = Path(__file__).resolve().parents[1]
    # In a checkout the folder lies beside the package; a wheel carries it inside.
    bundled = package / "_bundled" / "config"
    folder = bundled if bundled.is_dir() else package.parent / "config"
    return parse_catalogue(tomllib.loads((folder / FILE).read_text(encoding="utf-8")))


def catalogue_of(connection: Connection, organization_id: OrganizationId) -> Catalogue:
    """Return the catalogue as one organization has it, its own roles included."""
    own = {role.name: role.permissions for role in custom_roles(connection, organization_id)}
    found = built_in()
    return replace(found, roles={**own, **found.roles}) if own else found


def catalogue_then(connection: Connection, organization_id: OrganizationId, when: When) -> Catalogue:
    """Return the catalogue as an organization had it at a moment; the built-in roles are always this release's."""
    if not when.is_past:
        return catalogue_of(connection, organization_id)
    own = {role.name: role.permissions for role in custom_roles_then(connection, organization_id, when.at)}
    found = built_in()
    return replace(found, roles={**own, **found.roles})

"""The encryption keys over time: which are there, a new one, and everything sealed anew with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.errors import Refused
from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import Settings
from scim_bridge.store import sealed, sealing
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.organizations import list_organizations

ROTATED = "encryption_keys.rotated"


@dataclass(frozen=True, slots=True)
class KeySeen:
    """One key, and how many stored values it has sealed; ``fingerprint`` None: keys that are not here."""

    fingerprint: str | None
    seals: bool
    values: int


def list_keys(opened: Runtime) -> list[KeySeen]:
    """Return the keys, the sealing one first, and last what none of them opens."""
    with opened.database.read() as connection:
        counted = sealed.count_by_key(connection, opened.keyring)
    first, *others = opened.keyring.fingerprints
    found = [KeySeen(first, True, counted.get(first, 0))]
    found += [KeySeen(each, False, counted.get(each, 0)) for each in others]
    return [*found, KeySeen(None, False, counted[None])] if counted.get(None) else found


def add_new(settings: Settings) -> str:
    """Put a new key in front of those in the home folder and return its fingerprint; raises Refused."""
    _require_home(settings)
    key = sealing.new_key()
    sealing.add_key(settings.home, key)
    return sealing.fingerprint(key)


def rotate(opened: Runtime, actor: Actor, *, drop_old: bool = False) -> Mapping[str, int]:
    """
    Seal every stored secret anew with the first key; returns how many of each kind.

    ``drop_old`` then takes the other keys out of the home folder. Raises StoreError, and changes nothing, while a value
    is there that no present key opens.
    """
    if drop_old:
        _require_home(opened.settings)
    with opened.database.write() as connection:
        done = sealed.reseal(connection, opened.keyring)
        for each in list_organizations(connection) if any(done.values()) else ():
            change = new_change(each.id, actor, ROTATED, now())
            detail = {"key": opened.keyring.fingerprints[0]}
            add_audit(connection, change, ROTATED, "organization", each.id, detail)
    if drop_old:
        sealing.drop_keys(opened.settings.home)
    return done


def _require_home(settings: Settings) -> None:
    if settings.encryption_keys:
        raise Refused("The keys are set with encryption_keys: change them there, the new one in front.")

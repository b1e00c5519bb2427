"""What a process is made of; doors hand it to use cases without knowing the store themselves."""

from dataclasses import dataclass

from scim_bridge.settings import Settings
from scim_bridge.store.clock import now as now
from scim_bridge.store.database import Database as Database
from scim_bridge.store.sealing import Keyring as Keyring


@dataclass(frozen=True, slots=True)
class Runtime:
    """The process's own parts: made once by `scim_bridge.app`, shared by all requests, never changed by one."""

    settings: Settings
    database: Database
    keyring: Keyring

"""What a request that goes to clusters works with."""

from contextlib import AbstractContextManager

from scim_bridge.api.operations import Call
from scim_bridge.sync.single import Workshop, opened_workshop


def workshop_of(call: Call) -> AbstractContextManager[Workshop]:
    """Open what clusters are reached with, until the request is done."""
    return opened_workshop(call.runtime.database, call.runtime.keyring, call.runtime.settings)

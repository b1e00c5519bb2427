"""What the scheduler does every second, done once: seal what happened, and tell the receivers."""

from scim_bridge.identity.runtime import Runtime
from scim_bridge.sync.courier import Courier
from scim_bridge.sync.sealer import Sealer


def seal(runtime: Runtime) -> None:
    """Seal what happened."""
    sealer = Sealer(runtime.database, runtime.keyring)
    sealer.seal()
    sealer.close()


def carry(runtime: Runtime) -> int:
    """Seal what happened, and send what is due."""
    seal(runtime)
    return Courier(runtime.database, runtime.keyring, runtime.settings).run()

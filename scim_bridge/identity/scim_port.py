"""What other doors need of the SCIM door, which they do not know: `scim_bridge.app` puts it together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.attributes import ReadPath
from scim_bridge.domain.provisioning import Document
from scim_bridge.identity.replays import Replayed


class Replay(Protocol):
    """Repeats a failed request in its directory's name; nothing is written unless ``real``."""

    def __call__(
        self, actor: Actor, organization: str, directory: str, entry: str, *, real: bool, over_newer: bool
    ) -> Replayed:
        """Return what came of it, or what would."""


@dataclass(frozen=True, slots=True)
class ScimPort:
    """
    The SCIM door as others see it.

    ``read_path`` reads an attribute path of a mapping, ``read_user`` a user as an identity provider sends it.
    """

    read_path: ReadPath
    read_user: Callable[[Mapping[str, Any]], Document]
    replay: Replay

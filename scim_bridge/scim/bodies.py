"""Bodies as identity providers send them."""

from scim_bridge.domain.provisioning import Document
from scim_bridge.web.bodies import DEEPEST as DEEPEST
from scim_bridge.web.bodies import read_json

CONTENT_TYPES = ("application/scim+json", "application/json")


def read_body() -> Document:
    """Return the body of the request at hand; what `read_json` says holds here too."""
    return read_json(CONTENT_TYPES)

"""What every HTTP door needs of the process it runs in."""

from flask import current_app

from scim_bridge.identity.runtime import Runtime

EXTENSION = "scim_bridge"


def runtime() -> Runtime:
    """Return the runtime of the application that serves this request."""
    found: Runtime = current_app.extensions[EXTENSION]
    return found

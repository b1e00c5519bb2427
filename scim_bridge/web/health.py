"""Answer load balancers and orchestrators: whether the process lives, and whether it can serve."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from scim_bridge.errors import StoreError, Unavailable
from scim_bridge.identity.readiness import require_ready
from scim_bridge.web.context import runtime

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    """Answer 200 while the process lives."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """Answer 200 once the database is reachable and migrated, else 503 with the reason."""
    try:
        require_ready(runtime().database)
    except (StoreError, Unavailable) as error:
        return {"status": "not ready", "reason": str(error)}, 503
    return {"status": "ok"}

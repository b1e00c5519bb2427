"""Bodies as identity providers send them."""

from typing import TYPE_CHECKING

from werkzeug.wsgi import get_input_stream

from scim_bridge.domain.provisioning import Document
from scim_bridge.web.bodies import DEEPEST as DEEPEST
from scim_bridge.web.bodies import check_type, parse_json

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CONTENT_TYPES = ("application/scim+json", "application/json")


def read_body(environ: "WSGIEnvironment", most: int) -> Document:
    """Return the body of a request, of at most so many bytes; raises what `web.bodies.read_json` does."""
    check_type(environ, CONTENT_TYPES)
    return parse_json(get_input_stream(environ, max_content_length=most).read())

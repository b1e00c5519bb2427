"""How pages look: Bootstrap from its package, our theme over it, icons, and each browser's choice of light or dark."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Flask, Response, request, url_for
from flask_bootstrap import Bootstrap5
from markupsafe import Markup

from scim_bridge.errors import BridgeError
from scim_bridge.web import cookies, csrf, pages
from scim_bridge.web.icons import icon

ASSETS = "/assets"
APPEARANCE = "appearance"
CHOICES = ("auto", "light", "dark")
A_YEAR = 365 * 24 * 3600
STATIC = Path(__file__).parent / "static"
BOOTSTRAP_CSS = "css/bootstrap.min.css"


def register(app: Flask) -> None:
    """Give an application the look of its pages."""
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    # Addresses of assets change with their contents, so a browser never needs to ask for one again.
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = A_YEAR
    # Bootstrap-Flask builds its address from this one, and the application has no static folder of its own.
    app.static_url_path = ASSETS
    Bootstrap5(app)
    door = Blueprint("look", __name__, template_folder="templates", static_folder=str(STATIC), static_url_path=ASSETS)
    door.add_url_rule("/appearance", "choose", _choose, methods=["POST"])
    csrf.protect(door)
    door.register_error_handler(BridgeError, _refuse)
    app.register_blueprint(door)
    app.jinja_env.globals.update(
        appearance=appearance,
        appearances=CHOICES,
        asset=asset,
        bootstrap_css=_bootstrap_css,
        csrf_input=csrf_input,
        here=_here,
        icon=icon,
    )


def appearance() -> str:
    """Return what this browser chose: light, dark, or auto for what its system says."""
    found = cookies.read(APPEARANCE)
    return found if found in CHOICES else CHOICES[0]


def asset(name: str) -> str:
    """Return the address of one of our own files; it changes when the file does."""
    return url_for("look.static", filename=name, v=_version(name))


def csrf_input() -> Markup:
    """Return the hidden field that every form of ours has."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(csrf.FIELD, csrf.token())


@cache
def _version(name: str) -> str:
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _bootstrap_css() -> str:
    return url_for("bootstrap.static", filename=BOOTSTRAP_CSS, v=Bootstrap5.bootstrap_version)


def _here() -> str:
    """Return this very page, to come back to; a page that answers a form is no place to come back to."""
    return request.full_path.rstrip("?") if request.method == "GET" else pages.CONSOLE


def _choose() -> Response:
    """Keep what a browser chose, and go back."""
    answer = pages.away(pages.return_to(request.form.get("return_to")))
    chosen = request.form.get(APPEARANCE, "")
    if chosen in CHOICES:
        cookies.write(answer, APPEARANCE, chosen, seconds=A_YEAR)
    return answer


def _refuse(error: BridgeError) -> Response:
    return Response(pages.sentence_of(error), pages.status_of(error), content_type="text/plain; charset=utf-8")

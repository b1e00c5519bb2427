"""Tokens of directories: made, handed over while both work, and ended."""

import wtforms
from flask import Response

from scim_bridge.console.directories import MANAGING, show_values
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import directories, directory_tokens
from scim_bridge.identity.directory_tokens import TokenWanted


class TokenForm(Form):
    """A token to be made."""

    name = wtforms.StringField("Name", description="What you call it.")
    expires = wtforms.StringField("Ends", default="365d", description="Such as 90d, or a date; never if left empty.")
    ip_ranges = wtforms.StringField(
        "From where", description="Ranges of addresses from which it works, such as 203.0.113.0/24; anywhere if empty."
    )


class RotationForm(Form):
    """The token that takes over."""

    expires = wtforms.StringField("Ends", default="365d", description="Such as 90d, or a date; never if left empty.")


@screen("GET", "/directories/<directory>/tokens/new", title="New token", permission=MANAGING)
def ask(visit: Visit, directory: str) -> Response:
    """Ask what the token is to be like."""
    found = directories.show(visit.database, visit.organization, directory).directory
    return _form(visit, found.name, TokenForm.of(visit), "Make the token", "The tokens that there are stay valid.")


@screen("POST", "/directories/<directory>/tokens/new", title="New token", permission=MANAGING)
def create(visit: Visit, directory: str) -> Response:
    """Make another token, and show it this once."""
    form = TokenForm.of(visit)
    ranges = tuple((form.text("ip_ranges") or "").replace(",", " ").split())
    wanted = TokenWanted(form.text("name") or "", form.text("expires"), ranges)
    made = submit(form, lambda: directory_tokens.create(*visit.whose, directory, wanted, visit.request_id))
    if made is None:
        return _form(visit, directory, form, "Make the token", status=422)
    return _shown(visit, directory, made.text)


@screen("GET", "/directories/<directory>/tokens/<token>/rotate", title="Rotate a token", permission=MANAGING)
def ask_rotate(visit: Visit, directory: str, token: str) -> Response:
    """Say what a rotation does."""
    found = directories.show(visit.database, visit.organization, directory).directory
    lead = "Both tokens work until the identity provider uses the new one; that ends the old one by itself."
    return _form(visit, found.name, RotationForm.of(visit), "Make its successor", lead)


@screen("POST", "/directories/<directory>/tokens/<token>/rotate", title="Rotate a token", permission=MANAGING)
def rotate(visit: Visit, directory: str, token: str) -> Response:
    """Make the token that takes over, and show it this once."""
    form = RotationForm.of(visit)
    expires = form.text("expires")
    made = submit(form, lambda: directory_tokens.rotate(*visit.whose, directory, token, expires, visit.request_id))
    if made is None:
        return _form(visit, directory, form, "Make its successor", status=422)
    return _shown(visit, directory, made.text)


@screen("POST", "/directories/<directory>/tokens/<token>/revoke", title="Revoke a token", permission=MANAGING)
def revoke(visit: Visit, directory: str, token: str) -> Response:
    """End a token at once."""
    ended = directory_tokens.revoke(*visit.whose, token, visit.request_id)
    notice = f"The token {ended.name or ended.prefix} is revoked: its next request is refused."
    return done(visit, "directories.show", notice, directory=directory)


def _shown(visit: Visit, directory: str, token: str) -> Response:
    found = directories.show(visit.database, visit.organization, directory).directory
    return show_values(visit, found.name, found.kind, token)


def _form(visit: Visit, directory: str, form: Form, words: str, lead: str = "", status: int = 200) -> Response:
    back = url("directories.show", directory=directory)
    places = [("Directories", url("directories.list")), (directory, back)]
    return page(visit, "form", status, form=form, words=words, back=back, lead=lead, places=places)

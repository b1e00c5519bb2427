"""Answer an invitation by its link: see what is offered, come in, or say no; whoever is new sets a password then."""

from flask import Blueprint, Response, request

from scim_bridge.identity import accounts, invitation_answers
from scim_bridge.login import pages
from scim_bridge.web import context

PATH = "/invitations/<secret>"


def register(door: Blueprint) -> None:
    """Give the door the routes of this room."""
    door.add_url_rule(PATH, "invitation", show)
    door.add_url_rule(f"{PATH}/accept", "accept_invitation", accept, methods=["POST"])
    door.add_url_rule(f"{PATH}/decline", "decline_invitation", decline, methods=["POST"])


def show(secret: str) -> Response:
    """Show what is offered; looking at it answers nothing, as some mail programs look."""
    offer = invitation_answers.look_at(context.runtime().database, secret)
    return pages.page("invitation", offer=offer, secret=secret)


def accept(secret: str) -> Response:
    """Come in."""
    database = context.runtime().database
    name = request.form.get("display_name") or None
    joined = invitation_answers.accept(database, secret, name, context.request_id())
    path = accounts.link_after_invitation(database, joined.account_id)
    if path is not None:
        return pages.away(path)
    welcome = f"You are a member of {joined.organization_name}."
    return pages.message("Welcome", welcome, link=("/login", "Sign in"))


def decline(secret: str) -> Response:
    """Say no."""
    invitation_answers.decline(context.runtime().database, secret, context.request_id())
    return pages.message("You said no", "You are no member, and nothing else happens.")

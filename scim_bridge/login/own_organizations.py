"""Where one's own account leads: organizations, leaving one, and one's own tokens."""

from flask import Blueprint, Response, request

from scim_bridge.identity import api_tokens, member_states, own_organizations
from scim_bridge.identity.api_tokens import ME, ApiTokenWanted
from scim_bridge.login import pages
from scim_bridge.login.visits import BACK, the_visitor
from scim_bridge.web import context

PATH = "/account/organizations"
NEVER = "never"
TIMES = {"30d": "in 30 days", "90d": "in 90 days", "365d": "in a year", NEVER: "never"}


def register(door: Blueprint) -> None:
    """Give the door the routes of this room."""
    door.add_url_rule(PATH, "own_organizations", show)
    door.add_url_rule(f"{PATH}/<slug>/leave", "ask_leave", ask_leave)
    door.add_url_rule(f"{PATH}/<slug>/leave", "leave", leave, methods=["POST"])
    door.add_url_rule(f"{PATH}/<slug>/tokens", "make_token", make_token, methods=["POST"])
    door.add_url_rule(f"{PATH}/<slug>/tokens/<token_id>/revoke", "revoke_token", revoke_token, methods=["POST"])


def show() -> Response:
    """Show one's own organizations, and one's tokens in each."""
    found = own_organizations.list_all(context.runtime().database, the_visitor())
    return pages.page("organizations", organizations=found, times=TIMES)


def ask_leave(slug: str) -> Response:
    """Say what leaving means before it is done."""
    found = own_organizations.the_open_one(context.runtime().database, the_visitor(), slug)
    return pages.page("leave", organization=found)


def leave(slug: str) -> Response:
    """Leave an organization; its last working owner stays, and whoever a directory would bring back."""
    visitor, database = the_visitor(), context.runtime().database
    found = own_organizations.the_open_one(database, visitor, slug)
    member_states.leave(database, visitor.actor, slug, context.request_id())
    text = f"You are no member of {found.name} any more: your access, your tokens and your roles there have ended."
    return pages.message("You have left", text, link=BACK)


def make_token(slug: str) -> Response:
    """Make a token that acts as oneself, shown this once."""
    visitor, database, ends = the_visitor(), context.runtime().database, request.form.get("expires")
    # Whatever is not on the list is for `read_deadline` to refuse; only this word means no end.
    wanted = ApiTokenWanted(request.form.get("name", "").strip(), None if ends == NEVER else ends or "90d")
    made = api_tokens.create(database, visitor.actor, slug, ME, wanted, context.request_id())
    return pages.page("token", token=made.token, text=made.text)


def revoke_token(slug: str, token_id: str) -> Response:
    """End one of one's own tokens at once."""
    visitor, database = the_visitor(), context.runtime().database
    mine = own_organizations.the_open_one(database, visitor, slug).tokens
    if any(each.id == token_id for each in mine):
        api_tokens.revoke(database, visitor.actor, slug, token_id, context.request_id())
    return pages.away(PATH)

"""How people come in: what the organization accepts of those who sign in, and its identity providers."""

import wtforms
from flask import Response

from scim_bridge.console.fields import ChecksField, several, words
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.organization import places
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.identity_providers import GroupSync, IdentityProviderWanted, JoinAtLogin
from scim_bridge.domain.sessions import PolicyWanted, SignInMethod
from scim_bridge.identity import break_glass, directories, identity_providers, policies

WRITE = policies.PERMISSION
ROOM = "/organization/sign-in"
PROVIDER = ROOM + "/providers/<provider>"


class PolicyForm(Form):
    """What the organization accepts."""

    methods = ChecksField("People may sign in by")
    two_factor_required = wtforms.BooleanField("A second factor is required")
    ip_ranges = wtforms.StringField("Only from these addresses", description="Ranges such as 192.0.2.0/24. Empty: any.")
    idle_minutes = wtforms.IntegerField("A session ends after minutes without a click")
    session_hours = wtforms.IntegerField("A session ends after hours in any case")
    personal_tokens = wtforms.BooleanField("People's own tokens open it")
    token_days = wtforms.IntegerField("A token lives for days at most", description="0: for ever.")


class ProviderForm(Form):
    """An identity provider; what is empty is what suits the directory's kind."""

    name = wtforms.StringField(
        "Name",
        description="Small letters, digits and dashes: people read it on the sign-in page.",
        render_kw={"required": True},
    )
    directory = wtforms.SelectField("Directory", description="The one whose people it signs in.")
    issuer = wtforms.StringField("Issuer", description="https://login.acme.example", render_kw={"required": True})
    client_id = wtforms.StringField("Client id", render_kw={"required": True, "autocomplete": "off"})
    client_secret = wtforms.PasswordField(
        "Client secret", description="Kept encrypted, never shown. Empty for a public client."
    )
    domains = wtforms.StringField("For the domains", description="Separated by commas. Empty: all that are verified.")
    group_sync = wtforms.SelectField("Groups at sign-in", default=GroupSync.OFF.value)
    join_at_login = wtforms.SelectField("Who is new", default=JoinAtLogin.OFF.value)


@screen("GET", ROOM, title="Sign-in", permission="org:read")
def show(visit: Visit) -> Response:
    """Show the policy, the identity providers, and the accounts that stand outside of it."""
    whose = (visit.database, visit.organization)
    return page(
        visit,
        "sign_in",
        policy=policies.show(*whose),
        providers=identity_providers.list_all(*whose),
        break_glass=break_glass.list_all(*whose) if visit.may("break_glass:use") else None,
        places=places(),
    )


@screen("GET", ROOM + "/policy", title="Sign-in policy", permission=WRITE)
def ask_policy(visit: Visit) -> Response:
    """Show the form of the policy."""
    found = policies.show(visit.database, visit.organization)
    names = ("methods", "two_factor_required", "idle_minutes", "session_hours", "personal_tokens")
    values = {name: getattr(found, name) for name in names}
    values |= {"ip_ranges": ", ".join(found.ip_ranges), "token_days": found.token_days or 0}
    return _policy_page(visit, PolicyForm.of(visit, **values))


@screen("POST", ROOM + "/policy", title="Sign-in policy", permission=WRITE)
def change_policy(visit: Visit) -> Response:
    """Change what the organization accepts; it holds from the next click on."""
    form = PolicyForm.of(visit)
    names = ("two_factor_required", "idle_minutes", "session_hours", "personal_tokens", "token_days")
    values = {name: form[name].data for name in names}
    wanted = PolicyWanted(tuple(form.methods.data or ()), ip_ranges=tuple(several(form.text("ip_ranges"))), **values)
    if submit(form, lambda: policies.change(*visit.whose, wanted, visit.request_id)) is None:
        return _policy_page(visit, form, 422)
    return done(visit, "sign_in.show", "The policy holds from the next click on.")


@screen("GET", ROOM + "/providers/new", title="New identity provider", permission=WRITE)
def ask_provider(visit: Visit) -> Response:
    """Show the form of an identity provider."""
    return _provider_page(visit, _provider_form(visit))


@screen("POST", ROOM + "/providers/new", title="New identity provider", permission=WRITE)
def add_provider(visit: Visit) -> Response:
    """Add an identity provider; people find it once it is there."""
    form = _provider_form(visit)
    names = ("name", "directory", "issuer", "client_id", "group_sync", "join_at_login")
    given = {name: form.text(name) or "" for name in names}
    wanted = IdentityProviderWanted(**given, domains=tuple(several(form.text("domains"))))
    keys = (visit.database, visit.runtime.keyring, visit.actor, visit.organization)
    asked = (*keys, wanted, form.text("client_secret"), visit.request_id)
    made = submit(form, lambda: identity_providers.add(*asked), typed=True)
    if made is None:
        return _provider_page(visit, form, 422)
    return done(visit, "sign_in.show", f"{made.name} is there: test it before anybody needs it.")


@screen("POST", PROVIDER + "/test", title="Test sign-in", permission=WRITE)
def test(visit: Visit, provider: str) -> Response:
    """Make a test sign-in; its address is shown this once."""
    begun = identity_providers.begin_test(*visit.whose, provider, visit.request_id)
    address = visit.runtime.settings.base_url + begun.path
    return page(visit, "test_sign_in", title=f"Test {begun.provider}", address=address, begun=begun, places=_places())


@screen("GET", PROVIDER + "/enforce", title="Enforce an identity provider", permission=WRITE)
def ask_enforce(visit: Visit, provider: str) -> Response:
    """Show whom enforcement shuts out."""
    effects = [
        "People come in by the identity providers only, from the next click on.",
        "Sessions that began with a password open this organization no more.",
        "When the identity provider does not answer, nobody but the break-glass accounts comes in.",
    ]
    return _ask(visit, provider, "Let people in by {} only?", effects, "Enforce it")


@screen("POST", PROVIDER + "/enforce", title="Enforce an identity provider", permission=WRITE)
def enforce(visit: Visit, provider: str) -> Response:
    """Let people in by identity providers only."""
    made = identity_providers.enforce(*visit.whose, provider, visit.request_id)
    return done(visit, "sign_in.show", f"People come in by {made.name} only.")


@screen("POST", PROVIDER + "/relax", title="Enforce nothing", permission=WRITE)
def relax(visit: Visit, provider: str) -> Response:
    """Let people in by the policy's other methods again."""
    identity_providers.show(visit.database, visit.organization, provider)
    identity_providers.relax(*visit.whose, visit.request_id)
    return done(visit, "sign_in.show", "People come in by the policy's other methods again.")


@screen("GET", PROVIDER + "/remove", title="Remove an identity provider", permission=WRITE)
def ask_remove(visit: Visit, provider: str) -> Response:
    """Show what ends with an identity provider."""
    effects = ["Nobody signs in by it any more.", "Every session that began with it ends with the next click."]
    return _ask(visit, provider, "Remove {}?", effects, "Remove it")


@screen("POST", PROVIDER + "/remove", title="Remove an identity provider", permission=WRITE)
def remove(visit: Visit, provider: str) -> Response:
    """Take an identity provider away."""
    gone = identity_providers.remove(*visit.whose, provider, visit.request_id)
    return done(visit, "sign_in.show", f"{gone.name} is gone.")


def _places() -> list[tuple[str, str]]:
    return [*places(), ("Sign-in", url("sign_in.show"))]


def _ask(visit: Visit, provider: str, title: str, effects: list[str], words_: str) -> Response:
    found = identity_providers.show(visit.database, visit.organization, provider)
    back, where = url("sign_in.show"), _places()
    return page(
        visit, "confirm", title=title.format(found.name), effects=effects, words=words_, back=back, places=where
    )


def _policy_page(visit: Visit, form: PolicyForm, status: int = 200) -> Response:
    form.methods.choices = [("oidc", "An identity provider"), ("password", "A password")]
    form.methods.choices += [(each, each) for each, _ in words(SignInMethod) if each not in ("oidc", "password")]
    lead = "It is judged with every click and every call: who does not fit it any more is shut out at once."
    return page(visit, "form", status, lead=lead, form=form, words="Save", back=url("sign_in.show"), places=_places())


def _provider_form(visit: Visit) -> ProviderForm:
    form = ProviderForm.of(visit)
    known = directories.list_all(visit.database, visit.organization)
    form.directory.choices = [(each.name, each.name) for each in known]
    form.group_sync.choices = words(GroupSync)
    form.join_at_login.choices = words(JoinAtLogin)
    return form


def _provider_page(visit: Visit, form: ProviderForm, status: int = 200) -> Response:
    lead = "It signs in the people of a directory: who they are is said by a claim, never by an address."
    back, where = url("sign_in.show"), _places()
    return page(visit, "form", status, lead=lead, form=form, words="Add it", back=back, places=where)

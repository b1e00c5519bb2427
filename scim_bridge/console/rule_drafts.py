"""Drafts of rules: written rule by rule, looked at with exactly what they do, put into force with that outcome."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import wtforms
from flask import Response

from scim_bridge.console.effects import tell
from scim_bridge.console.fields import SuggestField, api_roles, kubernetes_roles, several
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.grants import scopes
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.rules import READ, WRITE, by_rule, condition, kinds
from scim_bridge.console.screens import Entrance, Visit, screen
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.mapping import MatchKind, Rule, RuleSet
from scim_bridge.errors import Invalid, NotFound, PreviewOutdated
from scim_bridge.identity import directories, rule_drafts, rule_lint, rules
from scim_bridge.identity.rule_changes import RulePreview

Result = TypeVar("Result")
PLACE = re.compile(r"rules\[\d+\](\.\w+)*")


class RuleForm(Form):
    """One rule: whom it matches, what it gives, and where."""

    name = wtforms.StringField("Name", description="What you call it.", render_kw={"maxlength": 63, "required": True})
    directory = wtforms.SelectField("Directory")
    kind = wtforms.SelectField("Looks at", default="group")
    text = wtforms.StringField(
        "Which",
        description="The group, the beginning, the pattern, or the path of the attribute.",
        render_kw={"required": 1},
    )
    values = wtforms.StringField("Is one of", description="Only for an attribute: the values, separated by commas.")
    scope = SuggestField(
        "Where", default="organization", description="A place, or with {name} what a pattern captured."
    )
    parent = SuggestField(
        "Never outside of", default="organization", description="Below this a captured place must lie."
    )
    api_role = wtforms.SelectField("API role", default="")
    kubernetes_role = wtforms.SelectField("Kubernetes role", default="")
    priority = wtforms.StringField("Priority", default="100", description="The lowest number wins at one place.")
    allow_privileged = wtforms.BooleanField("It may give admin rights by a group's name")

    @property
    def row(self) -> dict[str, object]:
        """Return the rule as it stands in a rule file."""
        kind, text = str(self["kind"].data), self.text_of("text")
        priority = self.text_of("priority")
        found: dict[str, object] = {
            "name": self.text_of("name"),
            "directory": self.text_of("directory"),
            kind: {"path": text, "one_of": several(self.text_of("values"))} if kind == "attribute" else text,
            "scope": self.text_of("scope"),
            "parent": self.text_of("parent") or "organization",
            "priority": int(priority) if priority.isdecimal() else priority,
            "allow_privileged": bool(self["allow_privileged"].data),
        }
        given = {name: self.text_of(name) for name in ("api_role", "kubernetes_role") if self.text_of(name)}
        return found | given

    def text_of(self, name: str) -> str:
        """Return what a field holds, without spaces around it."""
        return str(self[name].data or "").strip()


@screen("GET", "/rules/drafts/<draft>", title="Draft", permission=READ)
def show(visit: Visit, draft: str) -> Response:
    """Show a draft: its rules, what they change of those in force, and what is wrong with them."""
    found = rule_drafts.find(visit.database, visit.organization, draft)
    newer = rule_drafts.rules_of(found)
    present = rules.in_force(visit.database, visit.organization)
    return page(
        visit,
        "rule_draft",
        title=f"Draft {found.name}",
        draft=found,
        rules=sorted(newer.rules, key=lambda each: (each.priority, each.name)),
        diff=RuleSet(present.rules).diff(newer).document,
        findings=by_rule(rule_lint.look_over(visit.database, visit.organization, rule_drafts.of_draft(found.id))),
        condition=condition,
        is_outdated=(present.version.version if present.version else 0) != found.base_version,
    )


@screen("GET", "/rules/drafts/<draft>/rules/new", title="New rule", permission=WRITE)
def ask_add(visit: Visit, draft: str) -> Response:
    """Show the form of a new rule."""
    return _form_page(visit, draft, _form(visit))


@screen("POST", "/rules/drafts/<draft>/rules/new", title="New rule", permission=WRITE)
def add(visit: Visit, draft: str) -> Response:
    """Put a rule into a draft; one that is not there begins as the rules in force."""
    form = _form(visit)
    return _save(visit, draft, form, ())


@screen("GET", "/rules/drafts/<draft>/rules/<rule>", title="Change a rule", permission=WRITE)
def ask_change(visit: Visit, draft: str, rule: str) -> Response:
    """Show the form of a rule of a draft."""
    found = _rule(visit, draft, rule)
    return _form_page(visit, draft, _form(visit, found), found)


@screen("POST", "/rules/drafts/<draft>/rules/<rule>", title="Change a rule", permission=WRITE)
def change(visit: Visit, draft: str, rule: str) -> Response:
    """Let a rule of a draft say something else, also by another name."""
    found, form = _rule(visit, draft, rule), _form(visit)
    leaving = () if form.text_of("name") == found.name else (found.name,)
    return _save(visit, draft, form, leaving, found)


@screen("POST", "/rules/drafts/<draft>/rules/<rule>/remove", title="Take a rule out", permission=WRITE)
def remove(visit: Visit, draft: str, rule: str) -> Response:
    """Take a rule out of a draft: nothing happens before it is applied."""
    rule_drafts.edit(*visit.whose, (), [rule], draft, visit.request_id)
    return done(visit, "rule_drafts.show", f"The draft has the rule {rule} no more.", draft=draft)


@screen("GET", "/rules/drafts/<draft>/discard", title="Throw a draft away", permission=WRITE)
def ask_discard(visit: Visit, draft: str) -> Response:
    """Show what throwing a draft away does."""
    found = rule_drafts.find(visit.database, visit.organization, draft)
    return page(
        visit,
        "confirm",
        title=f"Throw the draft {found.name} away?",
        effects=["What was written in it is lost."],
        stays=["The rules in force stay as they are, and so does everybody's access."],
        words="Throw it away",
        back=url("rule_drafts.show", draft=found.name),
        places=places_of(found.name),
    )


@screen("POST", "/rules/drafts/<draft>/discard", title="Throw a draft away", permission=WRITE)
def discard(visit: Visit, draft: str) -> Response:
    """Throw a draft away."""
    rule_drafts.discard(*visit.whose, draft, visit.request_id)
    return done(visit, "rules.list", f"The draft {draft} is gone.")


@screen("GET", "/rules/drafts/<draft>/apply", title="Apply a draft", permission=WRITE, entrance=Entrance.SOMEWHERE)
def ask_apply(visit: Visit, draft: str) -> Response:
    """Show exactly who gains and who loses what by a draft."""
    made = rule_drafts.preview(*visit.whose, draft, limits(visit))
    return _apply_page(visit, draft, made)


@screen("POST", "/rules/drafts/<draft>/apply", title="Apply a draft", permission=WRITE, entrance=Entrance.SOMEWHERE)
def apply(visit: Visit, draft: str) -> Response:
    """Put a draft into force with exactly the outcome that was shown, or show the one that it would have now."""
    asked = (*visit.whose, draft, visit.given("preview"), limits(visit), visit.request_id)
    try:
        made = rule_drafts.apply(*asked)
    except PreviewOutdated as error:
        return _apply_page(visit, draft, error.preview, 409)
    return done(visit, "rules.list", f"Version {made.version} of the rules is in force.")


def limits(visit: Visit) -> BrakeLimits:
    """Return how far a change may reach that nobody has seen."""
    settings = visit.runtime.settings
    return BrakeLimits(settings.brake_subjects, settings.brake_percent)


def preview_page(visit: Visit, made: RulePreview, title: str, back: str, status: int = 200, **more: Any) -> Response:
    """Show what rules would do, with the button that makes them do it."""
    told = tell(made.effects)
    outdated = "Something has changed since you looked: this is what would happen now. Nothing was applied."
    return page(
        visit,
        "rule_preview",
        status,
        title=title,
        preview=made,
        told=told,
        effects=told.sentences or ([] if made.is_empty else ["Nobody's access changes."]),
        problem=outdated if status == 409 else None,
        hidden={"preview": made.hash},
        back=back,
        **more,
    )


def places_of(draft: str) -> list[tuple[str, str]]:
    """Return the way from the rules to a draft."""
    return [("Rules", url("rules.list")), (f"Draft {draft}", url("rule_drafts.show", draft=draft))]


def _apply_page(visit: Visit, draft: str, made: RulePreview, status: int = 200) -> Response:
    back = url("rule_drafts.show", draft=draft)
    more = {"words": "Put it into force", "safe": not made.effects.losses.people, "places": places_of(draft)}
    return preview_page(visit, made, f"Put the draft {draft} into force?", back, status, **more)


def _save(visit: Visit, draft: str, form: RuleForm, leaving: tuple[str, ...], rule: Rule | None = None) -> Response:
    asked = (*visit.whose, [form.row], leaving, draft, visit.request_id)
    if submit(form, _plainly(lambda: rule_drafts.edit(*asked)), names=_NAMES) is None:
        return _form_page(visit, draft, form, rule, 422)
    return done(visit, "rule_drafts.show", "The draft has the rule. Nothing happens before it is applied.", draft=draft)


_NAMES = {kind.value: "text" for kind in MatchKind}


def _plainly(work: Callable[[], Result]) -> Callable[[], Result]:
    """Let what is wrong with a rule be said of the field, and not of its place in a file."""

    def tried() -> Result:
        try:
            return work()
        except Invalid as error:
            field = (error.field or "").rpartition(".")[2]
            raise Invalid(PLACE.sub("The rule", str(error)), field=field or None) from None

    return tried


def _rule(visit: Visit, draft: str, named: str) -> Rule:
    """Return a rule of a draft, or where there is no such draft yet of those in force."""
    known = [each for each in rule_drafts.list_all(visit.database, visit.organization) if draft in (each.name, each.id)]
    present = rules.in_force(visit.database, visit.organization).rules
    for each in rule_drafts.rules_of(known[0]).rules if known else present:
        if each.name == named:
            return each
    raise NotFound(f"There is no rule {named!r} here.")


def _form(visit: Visit, rule: Rule | None = None) -> RuleForm:
    values: dict[str, Any] = {}
    if rule is not None:
        names = ("name", "directory", "scope", "parent", "priority", "api_role", "kubernetes_role", "allow_privileged")
        values = {name: getattr(rule, name) for name in names}
        values |= {"kind": rule.match.kind.value, "text": rule.match.text, "values": ", ".join(rule.match.values)}
        values["kubernetes_role"] = rule.kubernetes_role.value if rule.kubernetes_role else ""
    form = RuleForm.of(visit, **values)
    known = (
        directories.list_all(visit.database, visit.organization) if visit.may("organization:directories:read") else []
    )
    form.directory.choices = [(each.name, each.name) for each in known]
    form.kind.choices = kinds()
    form.api_role.choices = api_roles(visit.database, visit.organization)
    form.kubernetes_role.choices = kubernetes_roles()
    form.scope.suggestions = form.parent.suggestions = scopes(visit)
    return form


def _form_page(visit: Visit, draft: str, form: RuleForm, rule: Rule | None = None, status: int = 200) -> Response:
    there = any(draft in (each.name, each.id) for each in rule_drafts.list_all(visit.database, visit.organization))
    back = url("rule_drafts.show", draft=draft) if there else url("rules.list")
    return page(
        visit,
        "form",
        status,
        title=None if rule is None else f"Change {rule.name}",
        lead="It becomes part of a draft: you see who gains and who loses what before anything happens.",
        form=form,
        words="Put it into the draft",
        back=back,
        places=places_of(draft) if there else [("Rules", back)],
    )

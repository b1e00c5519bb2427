"""`scim-bridge rule what-if` and `rule lint`: questions to rules that change nothing."""

from pathlib import Path
from typing import Any

import click

from scim_bridge.cli.output import joined, json_option, organization_option, say, table
from scim_bridge.cli.session import Session

FLAWED = 1


@click.command("what-if")
@click.argument("person", required=False)
@click.option("--directory", help="Of whom, where nobody is named: somebody who is made up.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="A group more; as often as you like.")
@click.option("--without", multiple=True, metavar="GROUP", help="A group less.")
@click.option("--attribute", "attributes", multiple=True, metavar="PATH=VALUE", help="Another value.")
@click.option("--draft", metavar="NAME", help="The rules of a draft instead of those in force.")
@click.option("--file", type=click.Path(path_type=Path), help="The rules of a file.")
@organization_option
@json_option
@click.pass_obj
def what_if(
    session: Session,
    /,
    person: str | None,
    file: Path | None,
    attributes: tuple[str, ...],
    organization: str | None,
    as_json: bool,
    **named: Any,
) -> None:
    """Hold rules against one person: every rule that is tried, why, and what would come of it."""
    from scim_bridge.cli.rules import rules_of

    body = {key: list(value) if isinstance(value, tuple) else value for key, value in named.items()}
    body |= {"person": person, "attributes": dict(_pair(each) for each in attributes)}
    if file is not None:
        body["rules"] = rules_of(file)
    found = session.api.post(f"{session.of(organization)}/rules/what-if", body)
    say(as_json, found, _answer(found))


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--draft", metavar="NAME", help="The rules of a draft.")
@organization_option
@json_option
@click.pass_context
def lint(context: click.Context, file: Path | None, draft: str | None, organization: str | None, as_json: bool) -> None:
    """Name the rules that do nothing, in force or in a file or draft; ends with 1 if there are any."""
    from scim_bridge.cli.rules import rules_of

    session: Session = context.obj
    body: dict[str, Any] = {"draft": draft}
    if file is not None:
        body["rules"] = rules_of(file)
    found = session.api.post(f"{session.of(organization)}/rules/lint", body)
    rows = ((each["rule"], each["flaw"], each["message"]) for each in found["findings"])
    say(as_json, found, table(("rule", "flaw", "why"), rows, "Every rule does something."))
    if found["findings"]:
        context.exit(FLAWED)


def _pair(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise click.UsageError(f"Write an attribute as PATH=VALUE, not {text!r}.")
    return path, value


def _answer(found: dict[str, Any]) -> str:
    tried = table(
        ("rule", "matches", "through", "scope", "what became of it"),
        (
            (each["rule"], each["matched"] or "", each["through"], each["scope"], _became(each))
            for each in found["tried"]
        ),
        "No rules.",
    )
    roles = table(
        ("scope", "api roles"),
        ((scope, joined(held)) for scope, held in found["api_roles"].items()),
        "No API roles.",
    )
    clusters = table(
        ("cluster", "role", "decided by", "namespaces", "overruled"),
        (
            (
                each["cluster"],
                each["role"],
                each["scope"],
                joined(f"{role} in {namespace}" for namespace, role in each["namespaces"].items()),
                joined(each["overruled"]),
            )
            for each in found["clusters"]
        ),
        "No clusters.",
    )
    groups = joined(found["groups"]) or "no groups"
    notes = "".join(f"\n{each}" for each in found["notes"])
    return f"{found['person']}: {groups}{notes}\n\n{tried}\n\n{roles}\n\n{clusters}"


def _became(tried: dict[str, Any]) -> str:
    if not tried["outcomes"]:
        return str(tried["why"])
    return joined(
        f"{each['role']} {each['verdict']}" + (f" ({joined(each['rules'])})" if each["rules"] else "")
        for each in tried["outcomes"]
    )

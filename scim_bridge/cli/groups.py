"""`scim-bridge group …`: groups, and who is in them."""

from pathlib import Path

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import facts, joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session
from scim_bridge.errors import Invalid


@click.group()
def group() -> None:
    """Make groups by hand, and see all of them; a directory's are changed at its identity provider."""


@group.command()
@click.argument("name")
@click.option("--description", help="What it is for.")
@organization_option
@json_option
@click.pass_obj
def create(session: Session, name: str, description: str | None, organization: str | None, as_json: bool) -> None:
    """Make a group; every unit, project and service can use it."""
    made = session.api.post(f"{session.of(organization)}/groups", {"name": name, "description": description})
    say(as_json, made, f"The group {made['name']} is made.")


@group.command("list")
@click.option("--search", help="A part of the name.")
@click.option("--directory", help="Only those that this directory owns.")
@click.option("--by-hand", is_flag=True, help="Only those that no directory owns.")
@organization_option
@json_option
@click.pass_obj
def list_(
    session: Session, search: str | None, directory: str | None, by_hand: bool, organization: str | None, as_json: bool
) -> None:
    """List the groups with whose they are and how many people are in them."""
    asked = {"search": search, "directory": directory, "by_hand": "true" if by_hand else None}
    found = list(session.api.every(f"{session.of(organization)}/groups", **asked))
    rows = ((each["name"], each["directory"] or "by hand", each["members"], each["description"]) for each in found)
    say(as_json, found, table(("name", "owner", "members", "description"), rows, "No groups."))


@group.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Show a group and everybody in it: their state, when they were last active, and why they are in it."""
    path = f"{session.of(organization)}/groups/{segment(name)}"
    found = session.api.get(path)
    people = list(session.api.every(f"{path}/members"))
    shown = found["group"]
    about = facts(
        (
            ("group", shown["name"]),
            ("id", shown["id"]),
            ("description", shown["description"]),
            ("owner", shown["directory"] or "by hand"),
            ("contains", joined(each["name"] for each in found["contains"])),
            ("contained in", joined(each["name"] for each in found["contained_in"])),
        )
    )
    rows = (
        (
            each["user_name"],
            each["display_name"],
            each["state"],
            moment(each["last_active_at"]),
            joined(origin["origin"] for origin in each["origins"]),
            joined(moment(origin["expires_at"]) for origin in each["origins"] if origin["expires_at"]),
        )
        for each in people
    )
    headings = ("who", "name", "state", "last active", "because of", "until")
    notes = [found["read_only"]] if found["read_only"] else []
    text = "\n".join([about, *notes, "", table(headings, rows, "Nobody is in it.")])
    say(as_json, {**found, "members": people}, text)


@group.command()
@click.argument("name")
@click.argument("new_name")
@organization_option
@json_option
@click.pass_obj
def rename(session: Session, name: str, new_name: str, organization: str | None, as_json: bool) -> None:
    """Give a group another name; grants and members stay."""
    made = session.api.patch(f"{session.of(organization)}/groups/{segment(name)}", {"name": new_name})
    say(as_json, made, f"The group is called {made['name']}.")


@group.command()
@click.argument("name")
@click.argument("text")
@organization_option
@json_option
@click.pass_obj
def describe(session: Session, name: str, text: str, organization: str | None, as_json: bool) -> None:
    """Say what a group is for."""
    made = session.api.patch(f"{session.of(organization)}/groups/{segment(name)}", {"description": text})
    say(as_json, made, f"The group {made['name']} is described.")


@group.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def delete(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Take a group away, and at once what it gave."""
    gone = session.api.delete(f"{session.of(organization)}/groups/{segment(name)}")
    say(as_json, gone, f"The group {gone['name']} is gone, with what it gave to {gone['members']} people.")


@group.command()
@click.argument("name")
@click.argument("people", nargs=-1)
@click.option("--group", "child", help="A group to put in instead, with all who are in it.")
@click.option("--expires", metavar="30d|DATE", help="When it ends by itself; never if left out.")
@organization_option
@json_option
@click.pass_obj
def add(
    session: Session,
    name: str,
    people: tuple[str, ...],
    child: str | None,
    expires: str | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Put PEOPLE into a group, named or found by a search; all of them, or nobody."""
    path = f"{session.of(organization)}/groups/{segment(name)}"
    if _one_of(people, child):
        changed = session.api.put(f"{path}/groups/{segment(child or '')}", {})
        say(as_json, changed, f"{child} is in {name}." if changed["changed"] else f"{child} was in {name} before.")
        return
    made = session.api.post(f"{path}/members", {"members": list(people), "expires": expires})
    say(as_json, made, f"{len(made['changed'])} put in; {len(made['unchanged'])} were in it before.")


@group.command()
@click.argument("name")
@click.argument("people", nargs=-1)
@click.option("--group", "child", help="A group to take out instead.")
@organization_option
@json_option
@click.pass_obj
def remove(
    session: Session, name: str, people: tuple[str, ...], child: str | None, organization: str | None, as_json: bool
) -> None:
    """Take PEOPLE out of a group; they lose at once what it gave."""
    path = f"{session.of(organization)}/groups/{segment(name)}"
    if _one_of(people, child):
        changed = session.api.delete(f"{path}/groups/{segment(child or '')}")
        say(as_json, changed, f"{child} is out of {name}." if changed["changed"] else f"{child} was not in {name}.")
        return
    made = session.api.post(f"{path}/members/remove", {"members": list(people)})
    say(as_json, made, f"{len(made['changed'])} taken out; {len(made['unchanged'])} were not in it.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what each line would do, and write nothing.")
@organization_option
@json_option
@click.pass_obj
def import_(session: Session, file: Path, dry_run: bool, organization: str | None, as_json: bool) -> None:
    """Make groups of the teams in a .csv or .json FILE; nobody is taken out of anything."""
    try:
        content = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"{file} is not a text in UTF-8.", field="content") from None
    kind = "json" if file.suffix.lower() == ".json" else "csv"
    body = {"format": kind, "content": content, "dry_run": dry_run}
    made = session.api.post(f"{session.of(organization)}/groups/import", body)
    rows = ((each["number"], each["group"], each["member"], each["outcome"], each["message"]) for each in made["lines"])
    say(as_json, made, table(("line", "group", "who", "outcome", "why"), rows, "The file names no team."))
    if made["problems"]:
        raise click.exceptions.Exit(1)


def _one_of(people: tuple[str, ...], child: str | None) -> bool:
    """Tell whether it is a group that is meant; raises Invalid unless it is one of the two."""
    if bool(people) == (child is not None):
        raise Invalid("Name people, or one group with --group.", field="people")
    return child is not None

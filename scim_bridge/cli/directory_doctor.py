"""`scim-bridge directory doctor`: say whether an identity provider would be content with this installation."""

from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import json_option, organization_option, say, table
from scim_bridge.cli.session import Session
from scim_bridge.errors import Invalid

if TYPE_CHECKING:
    from scim_bridge.simulator.checkup import Profile
    from scim_bridge.simulator.conversations import Finding

PROFILES = ("okta", "entra")


@click.command()
@click.argument("directory_name", metavar="NAME")
@click.option("--profile", type=click.Choice(PROFILES), help="Whose conversations; the directory's kind if left out.")
@organization_option
@json_option
@click.pass_obj
def doctor(
    session: Session, directory_name: str, profile: "Profile | None", organization: str | None, as_json: bool
) -> None:
    """
    Hold an identity provider's conversations with a throw-away directory. Exit code 1: one failed.

    It goes to the public address if something listens there, and else to this process. NAME itself is not touched.
    """
    from scim_bridge.app import answering
    from scim_bridge.identity import directories
    from scim_bridge.identity.trials import trial_directory
    from scim_bridge.log import configure_logging
    from scim_bridge.simulator.checkup import examine

    # What is refused on the way is part of the answer, and not of the log.
    configure_logging("error", session.settings.log_format)
    slug = session.organization(organization)
    chosen = profile or _profile_of(directories.show(session.database, slug, directory_name).directory.kind)
    with (
        trial_directory(session.database, session.actor, slug, directory_name) as trial,
        answering(session.runtime) as (address, is_public),
    ):
        findings = examine(chosen, address, trial.token)
    failed = [each for each in findings if not each.passed]
    document = {
        "directory": directory_name,
        "profile": chosen,
        "scim_base_url": address,
        "public_address": is_public,
        "ok": not failed,
        "conversations": [each.as_document() for each in findings],
    }
    say(as_json, document, _text(findings, address, is_public))
    if failed:
        raise SystemExit(1)


def _profile_of(kind: str) -> "Profile":
    if kind == "okta":
        return "okta"
    if kind == "entra":
        return "entra"
    raise Invalid(f"There are no conversations of {kind}: say --profile okta or --profile entra.", field="profile")


def _text(findings: "list[Finding]", address: str, is_public: bool) -> str:
    rows = (
        ("ok" if each.passed else "FAILED", each.dialect, each.conversation, ", ".join(each.rows), each.detail)
        for each in findings
    )
    failed = sum(not each.passed for each in findings)
    where = address if is_public else f"this process ({address}), because nothing listens at the public address"
    end = f"{len(findings) - failed} of {len(findings)} passed, at {where}."
    return f"{table(('', 'dialect', 'conversation', 'demand', 'what came instead'), rows)}\n\n{end}"

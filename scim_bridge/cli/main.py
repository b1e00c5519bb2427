"""The command itself: global options, and the verbs hung on it."""

from pathlib import Path

import click

from scim_bridge.cli.alerts import alert
from scim_bridge.cli.application_users import application_user
from scim_bridge.cli.audit import audit
from scim_bridge.cli.backups import backup, restore
from scim_bridge.cli.database import db
from scim_bridge.cli.demo.verb import demo
from scim_bridge.cli.directories import directory
from scim_bridge.cli.doctor import doctor
from scim_bridge.cli.failures import Verbs
from scim_bridge.cli.findings import cluster
from scim_bridge.cli.freezes import freeze
from scim_bridge.cli.grants import grant
from scim_bridge.cli.groups import group
from scim_bridge.cli.history import sync
from scim_bridge.cli.holds import hold
from scim_bridge.cli.identity_providers import identity_provider
from scim_bridge.cli.invitations import invitation
from scim_bridge.cli.jobs import job
from scim_bridge.cli.keys import keys
from scim_bridge.cli.kubeconfigs import kubeconfig
from scim_bridge.cli.members import member
from scim_bridge.cli.organization_documents import apply, drift, export, plan
from scim_bridge.cli.organizations import organization
from scim_bridge.cli.projects import project
from scim_bridge.cli.reviews import review
from scim_bridge.cli.revocations import access
from scim_bridge.cli.roles import role
from scim_bridge.cli.rules import rule
from scim_bridge.cli.serve import run, scheduler, worker
from scim_bridge.cli.services import service
from scim_bridge.cli.session import Session
from scim_bridge.cli.sessions import account, break_glass, session_verbs
from scim_bridge.cli.simulate import simulate
from scim_bridge.cli.tokens import token
from scim_bridge.cli.units import unit
from scim_bridge.cli.webhooks import webhook


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scim-bridge")
@click.option("--config", type=click.Path(path_type=Path), help="The settings file (TOML).")
@click.option("--url", envvar="SCIM_BRIDGE_URL", help="Work on the bridge at this address, through its REST API.")
@click.option("--token", envvar="SCIM_BRIDGE_TOKEN", help="The token for --url; better in SCIM_BRIDGE_TOKEN.")
@click.pass_context
def main(context: click.Context, config: Path | None, url: str | None, token: str | None) -> None:
    """SCIM in, RoleBindings out: who may do what on which Kubernetes cluster."""
    context.obj = Session(config, url, token)
    context.call_on_close(context.obj.close)


for verb in (
    access,
    account,
    alert,
    application_user,
    break_glass,
    apply,
    audit,
    backup,
    cluster,
    db,
    demo,
    directory,
    doctor,
    freeze,
    drift,
    export,
    grant,
    group,
    hold,
    invitation,
    job,
    kubeconfig,
    keys,
    member,
    identity_provider,
    organization,
    plan,
    project,
    restore,
    review,
    role,
    rule,
    run,
    scheduler,
    service,
    session_verbs,
    simulate,
    sync,
    token,
    unit,
    worker,
    webhook,
):
    main.add_command(verb)

"""The command itself: global options, and the verbs hung on it."""

from pathlib import Path

import click

from scim_bridge.cli.database import db


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="The settings file (TOML).")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """SCIM in, RoleBindings out: who may do what on which Kubernetes cluster."""
    context.obj = config


main.add_command(db)

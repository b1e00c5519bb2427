"""Run the command line; what goes wrong on purpose ends in one sentence and exit code 1, never in a traceback."""

import sys

import click

from scim_bridge.cli.main import main as command
from scim_bridge.errors import BridgeError
from scim_bridge.settings import SettingsError


def main() -> None:
    """Run `scim-bridge`: 0 is done, 1 not done, 2 misuse."""
    try:
        command()
    except (BridgeError, SettingsError) as error:
        click.echo(f"scim-bridge: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

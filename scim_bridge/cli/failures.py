"""What goes wrong on purpose ends in one sentence on standard error and an exit code that says which kind it was."""

from typing import Any

import click

from scim_bridge import errors

CODES: tuple[tuple[type[Exception], int], ...] = (
    (errors.Unavailable, 7),
    (errors.NotFound, 3),
    (errors.Conflict, 4),
    (errors.Refused, 5),
    (errors.Invalid, 6),
    (errors.StoreError, 7),
    (errors.ClusterError, 8),
    (errors.BridgeError, 1),
)
"""The first class that fits decides; 2 is click's own, for a command typed wrong, and 9 is a wrong setting."""

SETTINGS = 9


class Failure(click.ClickException):
    """An error as the command line shows it."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.exit_code = code  # type: ignore[misc] # click declares it on the class and reads it on the instance

    def show(self, file: Any = None) -> None:
        """Print the sentence."""
        click.echo(f"scim-bridge: {self.message}", file=file, err=file is None)


class Verbs(click.Group):
    """The group of all verbs: turns the bridge's errors into sentences, never into tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except errors.BridgeError as error:
            raise Failure(str(error), code_of(error)) from error
        except ValueError as error:
            raise _settings_failure(error) from error


def code_of(error: errors.BridgeError) -> int:
    """Return the exit code of an error's class."""
    return next(code for kind, code in CODES if isinstance(error, kind))


def _settings_failure(error: ValueError) -> Exception:
    from scim_bridge.settings import SettingsError

    return Failure(str(error), SETTINGS) if isinstance(error, SettingsError) else error

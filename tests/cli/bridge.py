"""The real command, run on a database of the test's own."""

import json
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner, Result

from scim_bridge.cli.main import main
from scim_bridge.store.database import Database
from tests.identity.rows import begin, directory_id, put_group, put_membership, put_user


@dataclass(frozen=True)
class Bridge:
    """An installation, as somebody at its terminal sees it."""

    environment: dict[str, str]

    def run(self, *words: str) -> Result:
        """Type a command and return what it printed and ended with; a traceback fails the test."""
        result = CliRunner(env=self.environment).invoke(main, words, prog_name="scim-bridge")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def json(self, *words: str) -> Any:
        """Type a command that succeeds and return the document it prints."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def text(self, *words: str) -> str:
        """Type a command that succeeds and return what a person reads."""
        result = self.run(*words)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def refused(self, *words: str) -> tuple[int, str]:
        """Type a command that fails and return its exit code and its one sentence."""
        result = self.run(*words, "--json")
        assert result.exit_code != 0
        assert result.stdout == ""
        [sentence] = result.stderr.splitlines()
        assert sentence.startswith("scim-bridge: ")
        return result.exit_code, sentence.removeprefix("scim-bridge: ")

    def put_team(self, slug: str, group: str, *people: str) -> None:
        """Add a group with people to the organization's directory okta, as its identity provider does."""
        database = Database(self.environment["SCIM_BRIDGE_DATABASE_URL"])
        with database.write() as connection:
            change = begin(connection, slug)
            directory = directory_id(connection, "okta", slug)
            made = put_group(connection, change, group, directory)
            for person in people:
                put_membership(connection, change, made, put_user(connection, change, person, directory)[1])
        database.dispose()

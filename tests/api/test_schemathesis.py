"""
Every route, asked for all that its description allows and for what it does not: no failure of ours, no surprise.

Schemathesis reads the OpenAPI document and makes the requests; the same ones each time.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import OpenApiSchema

from scim_bridge.api import door
from scim_bridge.api.operations import OPERATIONS, Operation
from scim_bridge.identity import clusters
from scim_bridge.identity.clusters import ClusterWanted
from tests.api.directories import connect
from tests.api.rest import ACTOR, Person, Rest, open_rest
from tests.identity.provider import rows

assert door.PREFIX  # importing the door declares every operation

EXAMPLES = 8
PART = re.compile(r"<(?:\w+:)?(\w+)>")
CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


@dataclass
class Described:
    """The application, what it says of itself, and what its routes may be asked about."""

    schema: OpenApiSchema
    owner: Person
    known: dict[str, str]

    def ask(self, case: Case[Any]) -> None:
        """Send one request as the owner, and hold the answer against the document."""
        answer = case.call(headers={"Authorization": f"Bearer {self.owner.token}"})
        case.validate_response(answer, checks=list(CHECKS))


@pytest.fixture(scope="module")
def described(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """Open an application with a little of everything in it."""
    folder = tmp_path_factory.mktemp("described")
    url = f"sqlite:///{shutil.copy(migrated_sqlite, folder / 'bridge.sqlite3')}"
    plenty = {"requests_per_second": 100_000, "requests_burst": 100_000, "refused_per_minute": 100_000}
    with open_rest(url, folder, **plenty) as rest:
        yield Described(
            schemathesis.openapi.from_wsgi("/api/v1/openapi.json", rest.app),
            rest.token_of("owner@acme.example"),
            _furnish(rest, folder),
        )


def _furnish(rest: Rest, folder: Path) -> dict[str, str]:
    """Put things into acme, and return by which ids routes are asked about them: no request gives them others."""
    # A cluster that is there: one that is not is answered with 502, and that is no failure of ours.
    cluster = clusters.add(rest.runtime, ACTOR, "acme", ClusterWanted("prod", manifests=folder / "prod")).cluster.id
    admin = rest.with_role("admin")
    admin.ok("POST", "/units", {"path": "production"})
    admin.ok("POST", "/projects", {"name": "shop", "namespaces": ["shop"]})
    okta = connect(rest, admin)
    user = okta.create_user("ada@acme.example", emails=[{"value": "ada@acme.example"}])
    okta.create_group("team", user)
    okta.post("/Users", {"userName": "ada@acme.example"})
    [directory] = rows(rest.database, "directory")
    [group] = rows(rest.database, "user_group")
    [ada] = rows(rest.database, "scim_user")
    return {
        "organization": rest.organization_id(),
        "directory": directory["id"],
        "cluster": cluster,
        "member": ada["member_id"],
        "group": group["id"],
        "unit": "production",
        "project": rows(rest.database, "project")[0]["id"],
    }


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_no_answer_is_a_failure_or_one_that_the_document_does_not_know(
    described: Described, operation: Operation
) -> None:
    path = PART.sub(r"{\1}", operation.path)
    found = described.schema[f"/api/v1{path}"][operation.method]
    known: dict[str, Any] = {name: text for name, text in described.known.items() if f"{{{name}}}" in path}
    right = found.as_strategy(GenerationMode.POSITIVE, path_parameters=known)
    wrong = found.as_strategy(GenerationMode.NEGATIVE, path_parameters=known)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(right | wrong)
    def ask(case: Case[Any]) -> None:
        described.ask(case)

    ask()

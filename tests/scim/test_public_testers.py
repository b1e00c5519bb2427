"""What two public conformity testers, of different authors, have to say about the server over real HTTP: nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from tests.scim.doors import Directory, World
from tests.scim.live import served

# Nothing else may be passed over: what a server does not offer has to be a decision of its own.
NOT_OFFERED = ("searching several resource types at once",)
# RFC 7644 §3.5.2 allows 204, and a group of 10,000 members is not echoed for each that is added: by decision.
WISHES_FOR_200 = {"PATCH /Groups/{id}", "PATCH /Groups/{id} add member", "PATCH /Groups/{id} remove members"}
NO_SUCH_RESOURCE = ("Agent",)

pytestmark = pytest.mark.slow


def test_scim2_tester_has_no_complaint(okta: Directory, world: World) -> None:
    headers = {"Authorization": f"Bearer {okta.token}"}

    with served(world.app) as base_url, httpx2.Client(base_url=base_url, headers=headers) as http:
        results = check_server(SyncSCIMClient(http))

    complaints = [
        f"{each.title} {each.resource_type}: {each.reason}"
        for each in results
        if each.status not in (Status.SUCCESS, Status.COMPLIANT)
        and not (each.status is Status.SKIPPED and any(reason in str(each.reason) for reason in NOT_OFFERED))
    ]
    assert complaints == []
    assert len(results) > 40


@pytest.mark.parametrize("profile", [(), ("--profile", "entra")], ids=["strict", "entra"])
def test_scim_sanity_has_no_complaint(okta: Directory, world: World, profile: tuple[str, ...]) -> None:
    with served(world.app) as base_url:
        results = probe(base_url, okta.token, *profile)

    complaints = {f"{each['name']}: {each.get('message')}" for each in results if not _is_content(each)}
    assert complaints == set()
    assert sum(each["status"] == "pass" for each in results) >= 25


def _is_content(result: dict[str, Any]) -> bool:
    name, message = result["name"], result.get("message", "")
    if result["status"] == "skip":
        return bool(name.startswith(NO_SUCH_RESOURCE))
    return result["status"] == "pass" or (name in WISHES_FOR_200 and "200, got 204" in message)


def probe(base_url: str, token: str, *options: str) -> list[dict[str, Any]]:
    """Run scim-sanity as its users do, and return what it says of each of its tests."""
    program = str(Path(sys.executable).with_name("scim-sanity"))
    words = [program, "probe", base_url, "--token", token, "--i-accept-side-effects", "--json-output", *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return found

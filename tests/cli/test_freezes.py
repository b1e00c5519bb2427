"""`scim-bridge freeze`, typed at the terminal of the installation."""

from pathlib import Path

import pytest

from tests.cli.bridge import Bridge


@pytest.fixture
def folder(acme: Bridge, tmp_path: Path) -> Path:
    """Register an active folder of manifests."""
    place = tmp_path / "manifests"
    acme.json("cluster", "add", "--name", "prod", "--manifests", str(place), "--approve-first-plan")
    return place


def bound(folder: Path) -> list[str]:
    return [str(path) for path in folder.glob("*/scimb-*.yaml")]


@pytest.mark.parametrize(
    "place", [(), ("--installation",), ("--cluster", "prod"), ("--cluster", "prod", "--binding", "edit")]
)
def test_while_it_is_frozen_a_pass_says_so_and_writes_nothing(
    acme: Bridge, folder: Path, place: tuple[str, ...]
) -> None:
    begun = acme.text("freeze", "on", *place, "--reason", "an incident")
    acme.json("grant", "add", "--person", "ana@acme.example", "--scope", "organization", "--kubernetes-role", "edit")
    frozen = acme.text("sync", "run")
    before = bound(folder)
    listed = acme.text("freeze", "list")
    acme.text("freeze", "off", *place)
    acme.json("sync", "run")

    assert begun.startswith("Frozen: ")
    assert "prod     frozen" in frozen
    assert "froze" in frozen
    assert (before, len(bound(folder))) == ([], 1)
    assert "an incident" in listed
    assert acme.text("freeze", "list") == "Nothing is frozen.\n"


def test_leavers_are_kept_in_for_a_day_at_most(acme: Bridge) -> None:
    assert acme.refused("freeze", "on", "--including-revocations")[0] == 6
    assert acme.refused("freeze", "on", "--including-revocations", "--hours", "25")[0] == 6
    assert "leavers stay in too" in acme.text("freeze", "on", "--including-revocations", "--hours", "2")


def test_what_is_not_frozen_cannot_be_let_go(acme: Bridge) -> None:
    assert acme.refused("freeze", "off")[0] == 3
    assert acme.refused("freeze", "on", "--cluster", "nowhere")[0] == 3
    assert acme.run("freeze", "on", "--installation", "--cluster", "prod").exit_code == 2

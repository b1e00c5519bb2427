"""`scim-bridge access revocation`, as somebody prints it for an auditor."""

from pathlib import Path

import pytest

from tests.cli.bridge import Bridge


@pytest.fixture
def leaver(acme: Bridge, tmp_path: Path) -> str:
    """Take edit from somebody by hand, on a folder of manifests that is in step."""
    acme.json("cluster", "add", "--name", "prod", "--manifests", str(tmp_path / "prod"), "--approve-first-plan")
    person = ("--person", "ana@acme.example", "--scope", "organization", "--kubernetes-role", "edit")
    acme.json("grant", "add", *person)
    acme.json("sync", "run")
    acme.json("grant", "remove", *person)
    return "ana@acme.example"


def test_the_report_can_be_printed_and_says_what_is_open(acme: Bridge, leaver: str) -> None:
    text = acme.text("access", "revocation", leaver)

    assert text.startswith("REVOCATION REPORT, acme, ")
    assert f"The access of {leaver} (active" in text
    assert "IS NOT SHOWN TO BE OVER" in text
    assert "grant (a part), asked by " in text
    assert "What this report cannot see:" in text


def test_the_document_holds_what_the_text_says(acme: Bridge, leaver: str) -> None:
    found = acme.json("access", "revocation", leaver)

    assert (found["person"], found["is_over"], found["revocations"][0]["cause"]) == (leaver, False, "grant")


def test_leavers_and_the_objective_are_tables(acme: Bridge, leaver: str) -> None:
    assert acme.text("access", "leavers") == "Nobody left.\n"
    assert "objective      60 s" in acme.text("access", "objective")


def test_somebody_who_is_not_there_has_no_report(acme: Bridge) -> None:
    assert acme.refused("access", "revocation", "nobody@acme.example")[0] == 3

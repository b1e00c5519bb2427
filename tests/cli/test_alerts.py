"""`scim-bridge alert …`."""

from tests.cli.bridge import Bridge


def test_who_is_told_is_shown_and_set(local: Bridge) -> None:
    before = local.text("alert", "route")
    changed = local.text("alert", "route", "drift", "--to", "oncall@acme.example", "--to", "dev@acme.example")
    silent = local.text("alert", "route", "hold", "--nobody")
    again = local.text("alert", "route", "drift", "--default")

    assert before.count("owners and admins: ana@acme.example") == 8
    assert "oncall@acme.example, dev@acme.example" in changed
    assert "nobody" in silent
    assert "owners and admins: ana@acme.example" in again
    assert local.text("alert", "list").strip() == "Nothing needs a look."
    assert local.json("alert", "list", "--closed") == []


def test_one_way_to_say_it_is_named(local: Bridge) -> None:
    for words in (["drift"], ["--nobody"], ["drift", "--nobody", "--default"], ["nonsense", "--nobody"]):
        assert local.refused("alert", "route", *words)[0] == 6

"""`scim-bridge directory map …`: read it, try it, see what it would do, and let exactly that happen."""

import json
import tomllib
from pathlib import Path

import pytest

from scim_bridge.domain.attributes import DEFAULTS
from tests.cli.bridge import Bridge

ENTRA_USER = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "Ada@acme.example",
    "EMAILS": [{"value": "Ada@Work.example", "type": "work"}, {"value": "ada@home.example"}],
    "active": "True",
    "password": "s3cret-of-ada",
}
MAPPING = """
[fields.user_name]
from = ["userName"]
transforms = [{ before = "@" }, "lower"]

[fields.email]
from = ['emails[type eq "work"].value']

[fields.department]
from = "department"
required = true
"""


@pytest.fixture
def okta(acme: Bridge) -> Bridge:
    """Have a directory that brought two people."""
    acme.json("directory", "create", "--kind", "okta", "--name", "okta")
    acme.put_team("acme", "platform", "ada@acme.example", "bob@acme.example")
    return acme


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    """Write a mapping file."""
    return write(tmp_path / "map.toml", MAPPING)


def write(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_the_defaults_are_shown_as_a_file_that_changes_nothing(okta: Bridge, tmp_path: Path) -> None:
    shown = okta.json("directory", "map", "show", "okta")
    text = okta.text("directory", "map", "show", "okta")

    done = okta.json("directory", "map", "set", "okta", write(tmp_path / "same.toml", text), "--yes")

    assert (shown["version"], shown["own"]) == (0, [])
    assert set(tomllib.loads(text)["fields"]) == set(shown["fields"]) == set(DEFAULTS)
    assert (done["version"], done["changes"]) == (0, [])


def test_a_mapping_is_previewed_set_shown_and_reset(okta: Bridge, mapping: str) -> None:
    seen = okta.json("directory", "map", "preview", "okta", mapping)
    text = okta.text("directory", "map", "preview", "okta", mapping)

    done = okta.json("directory", "map", "set", "okta", mapping, "--preview", seen["hash"][:12])
    shown = okta.json("directory", "map", "show", "okta")
    back = okta.json("directory", "map", "reset", "okta", "--yes")

    assert {each["person"] for each in seen["changes"]} == {"ada@acme.example", "bob@acme.example"}
    assert 'user_name: "ada@acme.example" -> "ada"' in text
    assert "2 people have no department, which is required." in text
    assert f"directory map set okta {mapping} --preview {seen['hash'][:12]}" in text
    assert (done["changes"], done["version"]) == (seen["changes"], 1)
    assert (shown["version"], shown["own"]) == (1, ["department", "email", "user_name"])
    assert shown["lacking"] == {"department": 2}
    assert (back["version"], len(back["changes"])) == (2, 2)
    assert okta.json("directory", "map", "show", "okta")["own"] == []


def test_what_is_shown_of_a_mapping_is_a_file_that_says_the_same(okta: Bridge, mapping: str, tmp_path: Path) -> None:
    okta.json("directory", "map", "set", "okta", mapping, "--yes")

    text = okta.text("directory", "map", "show", "okta")
    again = okta.json("directory", "map", "preview", "okta", write(tmp_path / "again.toml", text))

    assert "# 2 people have no department, which is required." in text
    assert again["changes"] == []


def test_a_missing_required_attribute_is_a_condition_of_the_directory(okta: Bridge, mapping: str) -> None:
    okta.json("directory", "map", "set", "okta", mapping, "--yes")

    shown = okta.json("directory", "show", "okta")

    assert [(each["kind"], each["about"]) for each in shown["conditions"]] == [("AttributeMissing", "department")]


def test_a_user_file_is_tried_field_by_field(okta: Bridge, mapping: str, tmp_path: Path) -> None:
    user = write(tmp_path / "user.json", json.dumps(ENTRA_USER))
    words = ("directory", "map", "test", "okta", "--file", user, "--mapping", mapping)

    found, text = okta.json(*words), okta.text(*words)

    fields = {each["field"]: each for each in found["fields"]}
    assert found["user_name"] == "Ada@acme.example"
    assert fields["user_name"]["value"] == "ada"
    assert fields["user_name"]["tried"] == [
        {
            "source": "userName",
            "raw": "Ada@acme.example",
            "steps": [{"transform": "before '@'", "result": "Ada"}, {"transform": "lower", "result": "ada"}],
            "passed_over": None,
        }
    ]
    assert fields["email"]["value"] == "Ada@Work.example"
    assert fields["department"]["error"] == "It is required, and nothing has a value."
    assert (found["lacks"], found["stored"]) == (["department"], None)
    assert """userName: "Ada@acme.example" -> before '@': "Ada" -> lower: "ada\"""" in text
    assert "s3cret" not in text


def test_a_stored_user_is_tried_beside_what_is_stored_of_them(okta: Bridge, mapping: str) -> None:
    text = okta.text("directory", "map", "test", "okta", "--user", "ada@acme.example", "--mapping", mapping)
    found = okta.json("directory", "map", "test", "okta", "--user", "ada@acme.example")

    assert 'user_name = "ada"\n    stored is "ada@acme.example"' in text
    assert {each["field"]: each["value"] for each in found["fields"]}["user_name"] == "ada@acme.example"


def test_no_mapping_is_set_unread(okta: Bridge, mapping: str) -> None:
    code, sentence = okta.refused("directory", "map", "set", "okta", mapping)

    assert code == 5
    assert "--preview" in sentence
    assert okta.json("directory", "map", "show", "okta")["version"] == 0


def test_a_preview_whose_base_has_changed_is_a_conflict(okta: Bridge, mapping: str) -> None:
    seen = okta.json("directory", "map", "preview", "okta", mapping)["hash"]
    okta.put_team("acme", "others", "eve@acme.example")

    code, sentence = okta.refused("directory", "map", "set", "okta", mapping, "--preview", seen)

    assert code == 4
    assert "3 of 3 people would change" in sentence


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("[fields.email]\nfrom = ['emails[']", 6, "fields.email.from[0]: The path"),
        ("[fields.email]\nform = 'x'", 6, "unknown key 'form'"),
        ("[fields.active]", 6, "active is not for a mapping to say"),
        ("fields = 1", 6, "valid dictionary"),
        ("[fields", 6, "is not TOML"),
    ],
)
def test_a_mistake_in_a_mapping_is_one_sentence(
    local: Bridge, tmp_path: Path, text: str, code: int, words: str
) -> None:
    local.json("directory", "create", "--kind", "okta", "--name", "okta")
    file = write(tmp_path / "wrong.toml", text)

    for verb in (["set", "okta", file, "--yes"], ["preview", "okta", file]):
        found, sentence = local.refused("directory", "map", *verb)
        assert (found, words in sentence) == (code, True), sentence


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "nowhere"], 3),
        (["reset", "nowhere", "--yes"], 3),
        (["test", "okta", "--user", "nobody"], 3),
        (["test", "okta"], 2),
        (["test", "okta", "--user", "ada", "--file", "user.json"], 2),
        (["test", "okta", "--file", "/nowhere/user.json"], 6),
    ],
)
def test_what_cannot_be_tried_says_why(local: Bridge, words: list[str], code: int) -> None:
    local.json("directory", "create", "--kind", "okta", "--name", "okta")

    assert local.run("directory", "map", *words).exit_code == code


def test_a_user_file_that_is_no_json_is_one_sentence(local: Bridge, tmp_path: Path) -> None:
    local.json("directory", "create", "--kind", "okta", "--name", "okta")

    code, sentence = local.refused(
        "directory", "map", "test", "okta", "--file", write(tmp_path / "user.json", "{'userName'")
    )

    assert code == 6
    assert "is not JSON" in sentence

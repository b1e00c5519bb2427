"""What an operator can set, type or be told is written down; nothing written down has gone."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from scim_bridge import errors
from scim_bridge.cli.main import main
from scim_bridge.settings import SECRET_SETTINGS, Settings, load_settings
from tests.house.source import ROOT, tracked_texts

EXAMPLE = ROOT / "config" / "bridge.example.toml"
# A setting is a line `name = value`, commented out or not; prose about it stands in the lines above.
SETTING_LINE = re.compile(r"^(?:#)?(?P<name>[a-z_]+) = (?P<value>.+)$")


def _doc(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            yield from _commands(child, f"{path} {name}")
    elif not command.hidden:
        yield path, command


VERBS = dict(_commands(main, "scim-bridge"))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_a_commented_key_of_the_example(name: str) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    places = [n for n, line in enumerate(lines) if (found := SETTING_LINE.match(line)) and found["name"] == name]

    assert len(places) == 1
    assert lines[places[0] - 1].startswith("# ")


def test_the_example_names_no_setting_that_does_not_exist() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()

    named = {found["name"] for line in lines if (found := SETTING_LINE.match(line))}

    assert named - set(Settings.model_fields) == set()


def test_the_example_shows_the_defaults_of_what_it_leaves_commented_out() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    shown = tomllib.loads("\n".join(re.sub(r"^#(?=[a-z_]+ = )", "", line) for line in text.splitlines()))

    assumed = Settings.model_construct()

    for name, value in shown.items():
        if name not in SECRET_SETTINGS:
            default = getattr(assumed, name)
            assert value == (str(default) if isinstance(default, Path) else default), name


def test_the_example_can_be_used_as_it_is() -> None:
    assert load_settings(EXAMPLE, {}) == load_settings(None, {})


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_row_in_the_handbook(name: str) -> None:
    assert f"| `{name}` |" in _doc("configuration.md")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_handbook_names_the_default_that_a_setting_has(name: str) -> None:
    default = Settings.model_fields[name].default
    shown = re.search(rf"^\| `{name}` \| (.+?) \|", _doc("configuration.md"), re.MULTILINE)
    assert shown is not None

    if isinstance(default, bool):
        assert shown[1] == str(default).lower()
    elif isinstance(default, int | float):
        assert shown[1] in (f"{default:g}", str(default))
    elif default:
        assert str(default) in shown[1]
    else:
        # Nothing, or what the bridge finds out by itself: never a value that it does not have.
        assert not re.fullmatch(r"`.*`|\d+", shown[1])


def test_the_handbook_names_no_setting_that_does_not_exist() -> None:
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", _doc("configuration.md"), re.MULTILINE))

    assert rows - set(Settings.model_fields) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_the_command_line_is_documented(verb: str) -> None:
    headings = re.findall(r"^### `(scim-bridge .+?)`$", _doc("cli.md"), re.MULTILINE)

    assert any(re.fullmatch(rf"{re.escape(verb)}(?: [A-Z\[(-].*)?", heading) for heading in headings)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does(verb: str) -> None:
    assert VERBS[verb].get_short_help_str(200).endswith(".")


def test_the_handbook_names_no_verb_that_does_not_exist() -> None:
    headings = re.findall(r"^### `(scim-bridge [a-z -]+?)(?: [A-Z\[(-].*)?`$", _doc("cli.md"), re.MULTILINE)

    assert headings != []
    assert [heading for heading in headings if heading not in VERBS] == []


def test_every_command_that_a_document_shows_exists() -> None:
    texts = [(name, text) for name, text in tracked_texts() if name.endswith(".md") or name == "Procfile"]
    shown = [
        (name, f"scim-bridge {words.strip()}")
        for name, text in texts
        for words in re.findall(r"(?:^|`|: )scim-bridge ([a-z][a-z -]*?)(?= +[^a-z ]|`|$)", text, re.MULTILINE)
    ]

    wrong = [(name, command) for name, command in shown if not _begins_like_a_verb(command.split())]

    assert len(shown) > 20
    assert wrong == []


def _begins_like_a_verb(words: list[str]) -> bool:
    return any(words[: len(verb)] == verb or verb[: len(words)] == words for verb in map(str.split, VERBS))


def _error_classes(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _error_classes(child)


@pytest.mark.parametrize("error", list(_error_classes(errors.BridgeError)), ids=lambda error: error.__name__)
def test_every_error_is_explained(error: type[Exception]) -> None:
    assert f"| `{error.__name__}` |" in _doc("errors.md")


def test_the_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{name} -> {target}"
        for name, text in tracked_texts()
        if name.endswith(".md")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if "://" not in target and not (ROOT / name).parent.joinpath(target).exists()
    ]

    assert broken == []

"""What goes wrong at the terminal ends in one sentence and an exit code, changes nothing, and is never a traceback."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from scim_bridge.store.database import Database
from scim_bridge.store.schema import metadata
from tests.cli.bridge import Bridge

SENTENCE = re.compile(r"scim-bridge: [^\n]{10,400}[.)…]\n")
NOWHERE = "postgresql://bridge:hunter2@127.0.0.1:1/bridge"


def typed(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "scim_bridge", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def rows(bridge: Bridge) -> dict[str, int]:
    database = Database(bridge.environment["SCIM_BRIDGE_DATABASE_URL"])
    with database.read() as connection:
        found = {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    database.dispose()
    return found


@pytest.mark.parametrize(
    ("words", "settings", "code", "sentence"),
    [
        (["organization", "list"], {"SCIM_BRIDGE_DATABASE_URL": NOWHERE}, 7, "Connection refused"),
        (["organization", "create", "x"], {"SCIM_BRIDGE_DATABASE_URL": NOWHERE}, 7, "Connection refused"),
        (["db", "check"], {"SCIM_BRIDGE_DATABASE_URL": "postgresql://u:hunter2@h:port/x"}, 7, "cannot be read"),
        (["db", "check"], {"SCIM_BRIDGE_DATABASE_URL": "postgresql://u:hunter2@/x?odd=1"}, 7, "odd"),
        (["db", "upgrade"], {"SCIM_BRIDGE_DATABASE_URL": f"sqlite:///{__file__}"}, 7, "not a database"),
        (["organization", "list"], {"SCIM_BRIDGE_HOME": "/dev/null/home"}, 7, "/dev/null/home"),
        (["organization", "list"], {"SCIM_BRIDGE_POLL": "1"}, 9, "SCIM_BRIDGE_POLL is not a setting"),
        (["organization", "list"], {"SCIM_BRIDGE_PASS_WORKERS": "x"}, 9, "pass_workers"),
        (["organization", "list"], {"SCIM_BRIDGE_ENCRYPTION_KEYS": "hunter2"}, 7, "encryption key is not usable"),
        (["organization", "list"], {"SCIM_BRIDGE_ENCRYPTION_KEYS_FILE": "/bin/sh"}, 7, "encryption key is not usable"),
        (["--config", "/", "organization", "list"], {}, 9, "Is a directory"),
        (["cluster", "add", "--name", "p", "--kubeconfig", "/none"], {}, 6, "The kubeconfig /none cannot be read"),
        (["rule", "apply", "/none.toml"], {}, 6, "The file /none.toml cannot be read"),
        (["rule", "apply", "/"], {}, 6, "Is a directory"),
    ],
)
def test_a_wrong_word_or_setting_is_one_sentence(
    local: Bridge, words: list[str], settings: dict[str, str], code: int, sentence: str
) -> None:
    before = rows(local)

    result = typed(local.environment | settings, *words)

    assert (result.returncode, result.stdout) == (code, ""), result.stderr
    assert sentence in result.stderr
    assert SENTENCE.fullmatch(result.stderr), result.stderr
    assert "hunter2" not in result.stderr
    assert rows(local) == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("base_url = [", "is not TOML"),
        ("a = " + "[" * 3000, "is not TOML"),
        ("nonsense = 1", "nonsense .* is not a setting of the bridge"),
        ("[database]\nurl = 'x'", "database .* is not a setting of the bridge"),
        ("pass_workers = 0", "pass_workers .* is wrong"),
        ("encryption_keys = 5", "encryption_keys .* is wrong"),
        ("database_url = ['hunter2']", "database_url .* is wrong"),
        ("base_url = 'bridge.example'", "base_url .* must start with http"),
    ],
)
def test_a_wrong_settings_file_is_one_sentence_that_names_the_key(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(text)

    code, said = Bridge({"SCIM_BRIDGE_HOME": str(tmp_path / "home")}).refused(
        "--config", str(file), "organization", "create", "acme"
    )

    assert code == 9
    assert re.search(sentence, said), said
    assert str(file) in said
    assert "hunter2" not in said
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["organization", "create", "acme"],
        ["organization", "list"],
        ["unit", "list"],
        ["directory", "list"],
        ["cluster", "list"],
        ["cluster", "add", "--organization", "acme", "--name", "prod", "--manifests", "m"],
        ["rule", "list"],
        ["grant", "list"],
        ["access", "explain", "ana", "--organization", "acme"],
    ],
)
def test_a_database_that_is_not_migrated_is_told_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code, said = Bridge({"SCIM_BRIDGE_HOME": str(tmp_path / "home")}).refused(*words)

    assert (code, "run `scim-bridge db upgrade`" in said) == (7, True)
    assert not (tmp_path / "m").exists()


def test_a_postgresql_database_that_is_not_migrated_is_told_what_to_run(postgresql_url: str, tmp_path: Path) -> None:
    environment = {"SCIM_BRIDGE_HOME": str(tmp_path), "SCIM_BRIDGE_DATABASE_URL": postgresql_url}

    code, said = Bridge(environment).refused("organization", "list")

    assert (code, "run `scim-bridge db upgrade`" in said) == (7, True)


RULE = "rules:\n- {name: r, directory: okta, group_id: g, scope: organization, kubernetes_role: "


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.toml", "rules = [", "is not TOML"),
        ("a.toml", "a = " + "[" * 3000, "is not TOML"),
        ("a.yaml", "rules: [", "is not YAML: .* at line 1"),
        ("a.yaml", "[" * 3000, "is not YAML"),
        ("a.yaml", "since: 2026-13-45", "is not YAML: month must be"),
        ("a.yaml", "? [a]\n: b", "is not YAML: found unhashable key"),
        ("a.yaml", "- 1", "must hold keys and values"),
        ("a.toml", "x = 1", "has no key 'x'"),
        ("a.toml", "rules = 5", "must be a list"),
        ("a.yaml", "rules: [5]", r"rules\[0\] must be a table"),
        ("a.yaml", RULE + "superuser}", r"rules\[0\]: there is no Kubernetes role 'superuser'"),
        ("a.yaml", RULE + "view, priority: 1.5}", r"rules\[0\].priority must be a whole number"),
        ("a.yaml", RULE + "view, colour: red}", r"rules\[0\] has an unknown key 'colour'"),
        ("a.yaml", (RULE + "view}").replace("organization", "'cluster:nope'"), "names cluster:nope .* does not exist"),
        ("a.yaml", (RULE + "view}").replace("okta", "entra"), "names the directory 'entra', which does not exist"),
        ("a.yaml", (RULE + "view}").replace("group_id: g", "group_pattern: '(a+)+'"), "never take for ever"),
    ],
)
def test_a_broken_rule_file_is_one_sentence_and_the_rules_stay(
    local: Bridge, tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    local.json("directory", "create", "--kind", "okta", "--name", "okta")
    (tmp_path / "good.yaml").write_text(RULE + "view}")
    local.json("rule", "apply", str(tmp_path / "good.yaml"))
    before = rows(local)
    (tmp_path / name).write_text(text)

    code, said = local.refused("rule", "apply", str(tmp_path / name))

    assert code == 6
    assert re.search(sentence, said), said
    assert rows(local) == before
    assert [each["name"] for each in local.json("rule", "list")["rules"]] == ["r"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--person", "ana@acme.example", "--kubernetes-role", "superuser"], 6, "superuser"),
        (["--person", "ana@acme.example", "--api-role", "emperor"], 6, "emperor"),
        (["--person", "ana@acme.example"], 6, "role"),
        (["--kubernetes-role", "view"], 6, "one person or for one group"),
        (["--person", "a", "--group", "b", "--kubernetes-role", "view"], 6, "one person or for one group"),
        (["--person", "nobody", "--kubernetes-role", "view"], 3, "no person 'nobody'"),
        (["--group", "nobody", "--kubernetes-role", "view"], 3, "no group 'nobody'"),
    ],
)
@pytest.mark.parametrize("verb", ["add", "remove"])
def test_a_grant_that_makes_no_sense_is_one_sentence(
    local: Bridge, verb: str, words: list[str], code: int, sentence: str
) -> None:
    before = rows(local)

    said = local.refused("grant", verb, "--scope", "organization", *words)

    assert (said[0], sentence in said[1]) == (code, True), said
    assert rows(local) == before


@pytest.mark.parametrize(("scope", "code"), [("moon", 6), ("cluster:nope", 3), ("unit:a/b", 3), ("service:x", 3)])
def test_a_scope_that_is_none_is_one_sentence(local: Bridge, scope: str, code: int) -> None:
    person = ["--person", "ana@acme.example", "--kubernetes-role", "view"]

    assert local.refused("grant", "add", "--scope", scope, *person)[0] == code


def test_without_an_organization_named_the_only_one_is_meant_and_two_must_be_told_apart(local: Bridge) -> None:
    assert local.json("unit", "list") == []
    local.json("organization", "create", "globex")

    code, said = local.refused("unit", "list")

    assert (code, "acme, globex" in said) == (6, True)


def test_a_command_typed_wrong_is_2_and_says_how_it_goes(local: Bridge) -> None:
    results = [local.run("cluster", "explode"), local.run("directory", "create", "--kind", "x", "--name", "y")]

    assert [each.exit_code for each in results] == [2, 2]
    assert [each for each in results if "Error: " not in each.stderr or each.stdout] == []

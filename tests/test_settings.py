"""What an installation can be told, and what it is told when that makes no sense."""

from pathlib import Path

import pytest

from scim_bridge.settings import Settings, SettingsError, load_settings


def test_the_defaults_are_the_embedded_ones(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)

    assert settings.resolved_database_url == f"sqlite:///{tmp_path}/bridge.sqlite3"
    assert settings.scim_base_url == "http://127.0.0.1:8080/scim/v2"


def test_the_environment_stands_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('base_url = "https://file.example/"\nlog_level = "debug"\n')
    monkeypatch.setenv("SCIM_BRIDGE_BASE_URL", "https://environment.example")

    settings = load_settings(file)

    assert (settings.base_url, settings.log_level) == ("https://environment.example", "debug")


def test_the_file_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text("pass_interval_seconds = 60\n")
    monkeypatch.setenv("SCIM_BRIDGE_CONFIG", str(file))

    assert load_settings().pass_interval_seconds == 60


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "keys"
    secret.write_text("first second\n")
    monkeypatch.setenv("SCIM_BRIDGE_ENCRYPTION_KEYS_FILE", str(secret))

    keys = load_settings().encryption_keys

    assert [key.get_secret_value() for key in keys] == ["first", "second"]


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIM_BRIDGE_ENCRYPTION_KEYS", "hunter2")
    monkeypatch.setenv("SCIM_BRIDGE_DATABASE_URL", "postgresql://a:hunter2@db/x")

    assert "hunter2" not in repr(load_settings())


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SCIM_BRIDGE_BASE_URL", "bridge.example", "base_url .* must start with http"),
        ("SCIM_BRIDGE_LOG_LEVEL", "loud", "log_level"),
        ("SCIM_BRIDGE_PASS_WORKERS", "many", "pass_workers"),
        ("SCIM_BRIDGE_POLL_SECONDS", "0", "poll_seconds"),
        ("SCIM_BRIDGE_POLL_SECOND", "0.1", "SCIM_BRIDGE_POLL_SECOND is not a setting"),
        ("SCIM_BRIDGE_CONFIG", "/does/not/exist.toml", "cannot be read"),
        ("SCIM_BRIDGE_DATABASE_URL_FILE", "/does/not/exist", "secret file .* cannot be read"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=sentence):
        load_settings()


@pytest.mark.parametrize(("text", "sentence"), [("a = [", "is not TOML"), ("nonsense = 1", "nonsense")])
def test_a_wrong_file_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(text)

    with pytest.raises(SettingsError, match=sentence):
        load_settings(file)


def test_a_server_is_its_own_public_address_unless_another_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    unsaid = load_settings(None)
    monkeypatch.setenv("SCIM_BRIDGE_BASE_URL", "https://bridge.example.com")
    said = load_settings(None)

    assert unsaid.served_at("http://127.0.0.1:9000").scim_base_url == "http://127.0.0.1:9000/scim/v2"
    assert said.served_at("http://127.0.0.1:9000").scim_base_url == "https://bridge.example.com/scim/v2"

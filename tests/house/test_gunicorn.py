"""The web process of the Procfile: where it listens, and what it must not share."""

import runpy
from typing import Any

import pytest

from tests.house.source import ROOT


def _configuration() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))


def test_the_platform_says_on_which_port_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "5001")
    monkeypatch.setenv("WEB_HOST", "127.0.0.1")

    assert _configuration()["bind"] == "127.0.0.1:5001"


def test_the_platform_says_how_many_processes_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "5")

    assert _configuration()["workers"] == 5


def test_workers_open_their_own_database_connections_and_finish_what_they_began() -> None:
    made = _configuration()

    assert made["worker_class"] == "gthread"
    assert made["preload_app"] is False
    assert made["graceful_timeout"] >= 30


def test_no_access_log_names_people() -> None:
    # SCIM filters are query strings: userName eq "ana@example.com".
    assert _configuration()["accesslog"] is None


def test_no_control_socket_is_left_in_somebodys_home() -> None:
    assert _configuration()["control_socket_disable"] is True

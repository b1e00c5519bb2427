"""What is counted of requests: by one process, and by several of one gunicorn together."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from scim_bridge.web.meters import door_of
from tests.api.rest import open_rest
from tests.house.source import ROOT
from tests.journeys.bridge import free_port, wait_until

TOKEN = "a-token-for-prometheus"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


def numbers(text: str) -> Numbers:
    return {
        (sample.name.removeprefix("scim_bridge_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def requests_of(found: Numbers, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (name, has), value in found.items() if name == "requests_total" and wanted <= has)


def test_requests_are_counted_by_door_and_status_and_names_of_people_never(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    copied = shutil.copy(migrated_sqlite, tmp_path / "metered.sqlite3")
    with open_rest(f"sqlite:///{copied}", tmp_path, metrics_token=TOKEN) as rest:
        client = rest.app.test_client()
        before = numbers(client.get("/metrics", headers=HEADERS).text)
        client.get("/scim/v2/Users?filter=userName eq ada@acme.example")
        client.get("/api/v1/organizations")
        client.open("/somewhere/ada@acme.example", method="BREW")

        text = client.get("/metrics", headers=HEADERS).text

    after = numbers(text)
    gained = {
        door: requests_of(after, door=door, status=status) - requests_of(before, door=door, status=status)
        for door, status in (("scim", "401"), ("api", "401"), ("pages", "404"))
    }
    assert gained == {"scim": 1, "api": 1, "pages": 1}
    assert after["request_seconds_count", frozenset({("door", "scim")})] >= 1
    assert "ada" not in text
    assert "BREW" not in text


@pytest.mark.parametrize(
    ("path", "door"),
    [("/scim/v2/Users", "scim"), ("/scim/v2", "scim"), ("/scim/v22", "pages"), ("/readyz", "health"), ("", "pages")],
)
def test_an_address_belongs_to_the_door_that_it_begins_with(path: str, door: str) -> None:
    assert door_of(path) == door


def test_every_worker_tells_the_sum_of_all_and_nothing_is_lost_when_one_ends(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    port, folder = free_port(), tmp_path / "numbers"
    folder.mkdir()
    copied = shutil.copy(migrated_sqlite, tmp_path / "metered.sqlite3")
    program = Path(sys.executable).with_name("gunicorn")
    environment = os.environ | {
        "SCIM_BRIDGE_HOME": str(tmp_path),
        "SCIM_BRIDGE_DATABASE_URL": f"sqlite:///{copied}",
        "SCIM_BRIDGE_METRICS_TOKEN": TOKEN,
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        "WEB_HOST": "127.0.0.1",
        "PORT": str(port),
    }
    words = [str(program), "-c", str(ROOT / "config" / "gunicorn.conf.py"), "scim_bridge.wsgi:app"]
    server = subprocess.Popen(words, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _ask(port, "/readyz")[0] == 200, "gunicorn to start")
        before = _scim(port)
        for _ in range(40):
            _ask(port, "/scim/v2/Users")
        told = {_scim(port) for _ in range(6)}
        ended = _pids(folder)[0]
        os.kill(ended, signal.SIGKILL)
        wait_until(lambda: not (folder / f"counter_{ended}.db").exists(), "its numbers to be added")
        after = _scim(port)
    finally:
        server.terminate()
        server.wait(30)

    assert told == {before + 40}
    assert after == before + 40
    assert (folder.exists(), server.returncode) == (False, 0)


def _pids(folder: Path) -> list[int]:
    found = (each.stem.partition("_")[2] for each in folder.glob("counter_*.db"))
    return [int(each) for each in found if each.isdigit()]


def _scim(port: int) -> float:
    status, text = _ask(port, "/metrics")
    assert status == 200
    return requests_of(numbers(text), door="scim", status="401")


def _ask(port: int, path: str) -> tuple[int, str]:
    # A connection each: one that is kept would ask one worker for ever.
    headers = {**HEADERS, "Connection": "close"}
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        try:
            answer = pool.request("GET", f"http://127.0.0.1:{port}{path}", headers=headers)
        except urllib3.exceptions.HTTPError:
            return 0, ""
        return answer.status, answer.data.decode()

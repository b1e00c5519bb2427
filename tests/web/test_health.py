"""What load balancers ask."""

from pathlib import Path

from pydantic import SecretStr

from scim_bridge.app import create_app, upgrade_database
from scim_bridge.settings import Settings


def test_a_process_lives_before_its_database_is_ready(database_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(database_url))
    client = create_app(settings).test_client()

    before = client.get("/readyz")
    alive = client.get("/healthz")
    upgrade_database(settings)
    after = client.get("/readyz")

    assert (before.status_code, alive.status_code, after.status_code) == (503, 200, 200)
    assert "scim-bridge db upgrade" in before.json["reason"]  # type: ignore[index]


def test_a_dead_database_is_a_reason_and_no_traceback(tmp_path: Path) -> None:
    url = SecretStr("postgresql://bridge:hunter2@127.0.0.1:1/none")
    client = create_app(Settings(home=tmp_path, database_url=url)).test_client()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "hunter2" not in answer.text

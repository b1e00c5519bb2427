"""JSON of the whole application."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from scim_bridge.app import create_app
from scim_bridge.settings import Settings
from scim_bridge.web.encoding import OrjsonProvider, dump


def test_times_are_utc_and_end_in_z() -> None:
    assert dump({"at": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)}) == b'{"at":"2020-01-02T03:04:05Z"}'


def test_the_application_speaks_json_through_it(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, database_url=SecretStr(f"sqlite:///{tmp_path / 'none.sqlite3'}")))

    answer = app.test_client().get("/healthz")

    assert isinstance(app.json, OrjsonProvider)
    assert answer.data == b'{"status":"ok"}'
    assert app.json.loads('{"a":[1]}') == {"a": [1]}


def test_every_door_names_its_requests_and_no_door_answers_options(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, database_url=SecretStr(f"sqlite:///{tmp_path / 'none.sqlite3'}")))
    client = app.test_client()

    first, second = client.get("/healthz"), client.get("/nothing")

    assert len({first.headers["X-Request-Id"], second.headers["X-Request-Id"]}) == 2
    assert client.options("/healthz").status_code == 405
    # What is not SCIM is not answered as SCIM.
    assert second.content_type.startswith("text/html")

"""What is logged of a failure: where it happened, and not whom it was about."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from flask import Response

from scim_bridge.log import configure_logging
from tests.scim.doors import open_world


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def fail() -> None:
    """Fail while a person's data is in a variable."""
    person = {"userName": "ada@acme.example", "password": "s3cret-of-ada"}
    raise TypeError(f"{len(person)} is not three")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_shows_the_place_and_no_values(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", form)

    try:
        fail()
    except TypeError:
        logging.getLogger("flask").exception("it failed")

    said = capsys.readouterr().err
    assert "TypeError: 2 is not three" in said
    assert "in fail" in said
    assert "ada@acme.example" not in said
    assert "s3cret-of-ada" not in said


def test_a_line_of_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")

    logging.getLogger("flask").warning("odd %s", "thing")

    assert orjson.loads(capsys.readouterr().err)["event"] == "odd thing"


def test_every_line_of_a_request_says_which_one_it_is_and_who_asks_by_id(
    migrated_sqlite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = shutil.copy(migrated_sqlite, tmp_path / "logged.sqlite3")
    with open_world(f"sqlite:///{copied}", tmp_path, trusted_proxies=1) as world:
        okta = world.connect("acme", "okta")
        [directory] = world.rows("directory")
        configure_logging("info", "json")
        world.app.after_request(_say_something)

        okta.get("/Users/nobody", X_Request_Id="asked-1")
        world.app.test_client().get("/healthz", headers={"X-Request-Id": "asked-2"})

    lines = [orjson.loads(line) for line in capsys.readouterr().err.splitlines() if "something" in line]
    assert [(line["request_id"], line.get("actor")) for line in lines] == [
        ("asked-1", f"directory:{directory['id']}"),
        ("asked-2", None),
    ]


def _say_something(response: Response) -> Response:
    logging.getLogger("flask").warning("something happened")
    return response

"""What is logged of a failure: where it happened, and not whom it was about."""

import logging
from collections.abc import Iterator

import orjson
import pytest

from scim_bridge.log import configure_logging


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

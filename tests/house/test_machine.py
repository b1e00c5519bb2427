"""What a machine lacks is said loudly, and CI cannot go green on it."""

from urllib.parse import urlsplit

import psycopg
import pytest

from tests.machine import require


def test_a_missing_part_leaves_the_test_and_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_ALL", raising=False)

    with pytest.raises(pytest.skip.Exception) as left:
        require("A teapot", "apt-get install teapot")

    assert "A teapot is missing: apt-get install teapot" in str(left.value)


def test_a_missing_part_is_a_failure_where_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_ALL", "1")

    with pytest.raises(pytest.fail.Exception) as failed:
        require("A teapot", "apt-get install teapot")

    assert "A teapot is missing: apt-get install teapot" in str(failed.value)


def test_each_test_gets_an_empty_postgresql_database_of_its_own(postgresql_url: str) -> None:
    name = urlsplit(postgresql_url).path.removeprefix("/")

    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        current = connection.execute("SELECT current_database()").fetchone()

    assert tables == (0,)
    assert current == (name,)

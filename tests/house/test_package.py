"""What is installed elsewhere holds what it needs: not only modules, but migrations, settings and wire files."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.house.source import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the project's own build back end."""
    folder = tmp_path_factory.mktemp("wheel")
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(folder))))


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    expected = _files("scim_bridge", "")

    names = set(zipfile.ZipFile(wheel).namelist())

    assert sorted(expected - names) == []


@pytest.mark.parametrize("folder", ["migrations", "config"])
def test_the_wheel_carries_the_folders_that_lie_beside_the_package(wheel: Path, folder: str) -> None:
    expected = _files(folder, "scim_bridge/_bundled/")

    names = set(zipfile.ZipFile(wheel).namelist())

    assert expected
    assert sorted(expected - names) == []


def test_the_wheel_carries_the_licence_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert [name for name in names if name.endswith("licenses/LICENSE")] != []
    assert [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))] == []


def test_an_unpacked_wheel_migrates_a_database_far_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "site"),
        "SCIM_BRIDGE_HOME": str(tmp_path / "home"),
    }

    result = subprocess.run(
        [sys.executable, "-m", "scim_bridge", "db", "upgrade"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "home" / "bridge.sqlite3").is_file()


def _files(folder: str, prefix: str) -> set[str]:
    return {
        prefix + path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

"""The rooms know only what lies below them; `.importlinter` says it, and these tests hold it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import PACKAGE, ROOT, TESTS, Module, modules


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run([linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True)

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_room_is_a_package() -> None:
    rooms = [path for path in PACKAGE.rglob("*") if path.is_dir() and any(path.glob("*.py"))]

    # import-linter does not see a folder without __init__.py, so nothing would be checked in it.
    without = [str(room.relative_to(ROOT)) for room in rooms if not (room / "__init__.py").is_file()]

    assert without == []


def test_the_rules_import_only_python_itself() -> None:
    # The contract can only list the libraries it has thought of.
    imported = [(name, module.name) for module in modules(PACKAGE / "domain") for name in _imports(module)]

    outside = [
        (name, where)
        for name, where in imported
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not name.startswith(("scim_bridge.domain", "scim_bridge.errors"))
    ]

    assert outside == []


def test_the_simulator_knows_only_errors_and_log() -> None:
    allowed = ("scim_bridge.errors", "scim_bridge.log", "scim_bridge.simulator")

    known = [(name, module.name) for module in modules(PACKAGE / "simulator") for name in _bridge_imports(module)]

    assert [(name, where) for name, where in known if not name.startswith(allowed)] == []


def test_the_conversations_with_identity_providers_do_not_know_the_scim_door() -> None:
    # They replay what an IdP sends over HTTP; sharing the door's own code would prove only that it agrees with itself.
    known = [(name, module.name) for module in modules(TESTS / "conversations") for name in _bridge_imports(module)]

    assert [(name, where) for name, where in known if name.startswith("scim_bridge.scim")] == []


def test_nothing_is_imported_by_name_at_run_time() -> None:
    # The contracts are read off import statements; an import by string would slip past them.
    calls = [
        module.place(node, ast.unparse(node))
        for module in modules(PACKAGE)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__")
    ]

    assert calls == []


def _bridge_imports(module: Module) -> Iterator[str]:
    return (name for name in _imports(module) if name.startswith("scim_bridge"))


def _imports(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)

"""Rules that no linter of others knows; each test's comment is the reason."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import PACKAGE, ROOT, TESTS, modules, tracked_texts

THIS_FILE = "tests/house/test_rules.py"


def test_only_the_schedulers_tick_catches_everything() -> None:
    # A broad except turns a bug into a wrong answer. The tick is the one place where an unknown failure of one
    # cluster must not end the service of the others. Cleaning up and raising again swallows nothing; on the lane it
    # is Flask that raises it again.
    caught = [
        module.place(node, "catches everything")
        for module in modules(PACKAGE)
        if module.name not in ("scim_bridge/sync/scheduler.py", "scim_bridge/scim/lane.py")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises_again(node)
    ]

    assert caught == []


def test_only_the_clock_reads_the_wall_clock() -> None:
    # Time that comes in as an argument can be tested and replayed; a hidden now() cannot.
    forbidden = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
    reads = [
        module.place(node, ast.unparse(node))
        for module in modules(PACKAGE)
        if module.name != "scim_bridge/store/clock.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith(forbidden)
    ]

    assert reads == []


def test_no_sql_is_built_from_strings() -> None:
    # A value inside the text of a statement is an injection waiting for its name to change; values are parameters.
    built = [
        module.place(node, ast.unparse(node.func))
        for module in (*modules(PACKAGE), *modules(ROOT / "migrations"))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _is_statement(node.func) and node.args and _is_built(node.args[0])
    ]

    # The one exception: PRAGMA takes no parameters, and its values are literals of that same function.
    assert [place for place in built if not place.startswith("scim_bridge/store/database.py")] == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    # What has no better name than "utils" has no reader who would look for it there.
    empty = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc", "tools"}

    found = [m.name for folder in (PACKAGE, TESTS) for m in modules(folder) if set(m.path.parts) & empty]
    found += [m.name for folder in (PACKAGE, TESTS) for m in modules(folder) if m.path.stem in empty]

    assert found == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "X" + "XX", "Not" + "ImplementedError"])
def test_nothing_is_left_for_later(word: str) -> None:
    # Something is built or it is not there; what is not built is listed in docs/, where users look.
    found = [name for name, text in tracked_texts() if word in text and name not in (THIS_FILE, "uv.lock")]

    assert found == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    # A test that does not run proves nothing. `tests.machine.require` alone may say that the machine lacks a part.
    words = ("skip", "skipif", "xfail", "importorskip", "skipTest")
    found = [
        module.place(node, ast.unparse(node))
        for module in modules(TESTS)
        if module.name not in ("tests/machine.py", "tests/house/test_machine.py")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in words
        and ast.unparse(node).startswith(("pytest", "unittest"))
    ]

    assert found == []


@pytest.mark.parametrize("place", ["/" + "work/", "/" + "tmp/", "/" + "farm/", ".." + "/shared", "kube" + "-assets"])
def test_nothing_depends_on_the_machine_it_was_written_on(place: str) -> None:
    # A path of one machine works nowhere else. Only CI's own script may know where CI keeps its tools.
    found = [name for name, text in tracked_texts() if place in text and name not in (THIS_FILE, ".ci/run")]

    assert found == []


def test_tests_are_named_with_sentences() -> None:
    # The name is what a red run shows first: it should say what no longer holds.
    short = [
        module.place(node, node.name)
        for module in modules(TESTS)
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.name.count("_") < 3
    ]

    assert short == []


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(n, ast.Name) and n.id in ("Exception", "BaseException") for n in ast.walk(handler.type))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_statement(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("text", "execute", "exec_driver_sql", "literal_column", "executescript")


def _is_built(argument: ast.expr) -> bool:
    return any(_joins_text(node) for node in _outermost(argument))


def _outermost(argument: ast.expr) -> Iterator[ast.expr]:
    yield argument
    if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute):
        yield argument.func


def _joins_text(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return any(
            isinstance(side, ast.Constant | ast.JoinedStr) and _is_text(side) for side in (node.left, node.right)
        )
    return isinstance(node, ast.Attribute) and node.attr == "format" and _is_text(node.value)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))

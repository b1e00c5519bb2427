"""Every module and everything that another room may call says in one sentence what it is for."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.source import PACKAGE, Function, Module, modules

Documented = ast.Module | ast.ClassDef | Function

# "Return", not "Returns": the sentence tells the reader what the function will do for them.
THIRD_PERSON = re.compile(r"^(?!Pass|Process|Express|Address|Compress|Guess|Press|Discuss|Focus|Access)[A-Z][a-z]+s\b")


@pytest.mark.parametrize("module", modules(PACKAGE), ids=lambda module: module.name)
def test_what_is_public_has_a_docstring_that_opens_with_a_sentence(module: Module) -> None:
    wrong = [fault for name, node in _public(module) if (fault := _fault(name, node))]

    assert wrong == []


@pytest.mark.parametrize("module", modules(PACKAGE), ids=lambda module: module.name)
def test_a_functions_docstring_tells_it_what_to_do(module: Module) -> None:
    wrong = [
        f"{name}: {line}"
        for name, node in _public(module)
        if isinstance(node, Function) and THIRD_PERSON.match(line := _first_line(node))
    ]

    assert wrong == []


@pytest.mark.parametrize("module", modules(PACKAGE), ids=lambda module: module.name)
def test_no_docstring_lists_arguments_that_the_signature_names(module: Module) -> None:
    listing = re.compile(r"^\s*(Args|Arguments|Parameters|Returns|:param \w+):", re.MULTILINE)

    wrong = [name for name, node in _public(module) if listing.search(ast.get_docstring(node) or "")]

    assert wrong == []


def _public(module: Module) -> Iterator[tuple[str, Documented]]:
    yield module.name, module.tree
    yield from _public_in(module.tree, module.name)


def _public_in(parent: ast.Module | ast.ClassDef, where: str) -> Iterator[tuple[str, Documented]]:
    for node in parent.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if not isinstance(node, ast.ClassDef) and _is_overload(node):
                continue
            name = f"{where}:{node.lineno} {node.name}"
            yield name, node
            if isinstance(node, ast.ClassDef):
                yield from _public_in(node, where)


def _is_overload(node: Function) -> bool:
    named = {ast.unparse(decorator) for decorator in node.decorator_list}
    return bool(named & {"overload", "typing.overload"}) or any(name.endswith(".setter") for name in named)


def _first_line(node: Documented) -> str:
    text = (ast.get_docstring(node) or "").strip()
    return text.splitlines()[0].strip() if text else ""


def _fault(name: str, node: Documented) -> str | None:
    line = _first_line(node)
    if not line:
        return f"{name}: no docstring"
    if not line.endswith("."):
        return f"{name}: the first line does not end in a period: {line}"
    return None

"""The repository as the house rules see it: its files, parsed once."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "scim_bridge"
TESTS = ROOT / "tests"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file: where it is, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Return the path from the repository's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def lines(self) -> int:
        """Return how many lines the file has."""
        return len(self.text.splitlines())

    @property
    def written_lines(self) -> int:
        """Return how many of them are not blank."""
        return sum(1 for line in self.text.splitlines() if line.strip())

    def functions(self) -> Iterator[tuple[str, int]]:
        """Yield each function, nested ones too, as `file:line name` and its length without decorators."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield self.place(node, node.name), (node.end_lineno or node.lineno) - node.lineno + 1

    def place(self, node: ast.stmt | ast.expr | ast.excepthandler, what: str) -> str:
        """Return where something is, the way an editor jumps to it."""
        return f"{self.name}:{node.lineno} {what}"


@cache
def modules(folder: Path) -> tuple[Module, ...]:
    """Return every Python file under a folder."""
    return tuple(_parse(path) for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def _parse(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path, text, ast.parse(text, filename=str(path)))


@cache
def tracked_texts() -> tuple[tuple[str, str], ...]:
    """Return the name and text of every text file that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            try:
                found.append((name, path.read_text(encoding="utf-8")))
            except UnicodeDecodeError:
                continue
    return tuple(found)

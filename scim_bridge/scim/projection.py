"""Which attributes an answer holds: ``attributes`` and ``excludedAttributes`` (RFC 7644 §3.9)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scim_bridge.domain.provisioning import Document
from scim_bridge.scim.attributes import ResourceSchema
from scim_bridge.scim.filters import parse_path

# Returned whatever is asked for (RFC 7643 §3.1, §7: "always").
ALWAYS = frozenset({"id", "schemas"})
LONGEST_NAME = 512

Tree = dict[str, Any]
"""Names to what is named below them; an empty tree means all of it."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The attributes to show, None for all, less those to leave out."""

    shown: Tree | None = None
    hidden: Tree = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        """Say whether any part of an attribute is to be answered, so that the others need not be read at all."""
        return (self.shown is None or name in self.shown) and self.hidden.get(name) != {}

    def wants_whole(self, name: str) -> bool:
        """Say whether all of an attribute is to be answered."""
        return (self.shown is None or self.shown.get(name) == {}) and name not in self.hidden

    @property
    def is_whole(self) -> bool:
        """Say whether everything is to be answered."""
        return self.shown is None and not self.hidden

    def apply(self, resource: Document) -> Document:
        """Return the part of a resource that is to be answered; an attribute with nothing left is absent."""
        shown: Document = resource if self.shown is None else _keep(resource, self.shown)
        return _drop(shown, self.hidden) if self.hidden else shown


WHOLE = Projection()


def read_projection(shown: Iterable[str], hidden: Iterable[str], schema: ResourceSchema) -> Projection:
    """Return what these names ask for; unknown names ask for nothing. Raises Invalid for a text that is no name."""
    wanted, unwanted = list(shown), list(hidden)
    if not wanted and not unwanted:
        return WHOLE
    always: Tree = {name: {} for name in ALWAYS}
    tree = always | _tree(wanted, schema) if wanted else None
    excluded = {name: below for name, below in _tree(unwanted, schema).items() if name not in ALWAYS}
    return Projection(tree, excluded)


def _tree(names: Iterable[str], schema: ResourceSchema) -> Tree:
    root: Tree = {}
    for name in names:
        target = parse_path(name, schema, LONGEST_NAME)
        path = target.place.path + (target.part.path if target.part else ())
        _plant(root, path)
    return root


def _plant(root: Tree, path: tuple[str, ...]) -> None:
    *above, last = path
    for key in above:
        if root.get(key) == {}:
            return
        root = root.setdefault(key, {})
    root[last] = {}


def _keep(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [kept for each in value if (kept := _keep(each, tree))]
    if not isinstance(value, dict):
        return None
    found = {key: each if tree[key] == {} else _keep(each, tree[key]) for key, each in value.items() if key in tree}
    return {key: each for key, each in found.items() if each not in (None, {}, []) or tree[key] == {}}


def _drop(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_drop(each, tree) for each in value]
    if not isinstance(value, dict):
        return value
    left = {key: each for key, each in value.items() if tree.get(key) != {}}
    return {key: _drop(each, tree[key]) if key in tree else each for key, each in left.items()}

"""Units as drafts: rename, say what they are for, move, delete."""

from dataclasses import dataclass

from scim_bridge.domain.organizations import (
    MAX_UNIT_DEPTH,
    EnvironmentType,
    Scope,
    ScopeKind,
    Tree,
    Unit,
    UnitId,
)
from scim_bridge.errors import Conflict, Invalid, Refused
from scim_bridge.identity.names import checked_name, the_unit, unit_path
from scim_bridge.identity.tree_drafts import Desk, Outcome
from scim_bridge.store import tree_changes as store

WRITE = "organization:units:write"


@dataclass(frozen=True, slots=True)
class RenameUnit:
    """Give the unit at a path another name; mapping rules that name it follow."""

    path: str
    name: str
    kind: str = "unit.renamed"

    def carry_out(self, desk: Desk) -> Outcome:
        """Rename it; raises Conflict where the name is taken."""
        checked_name("a unit", self.name)
        unit, scope = unit_named(desk.tree, self.path)
        desk.require("environments:update" if unit.environment_type else WRITE, scope)
        if unit.name == self.name:
            return _same(scope, self.path)
        refuse_taken(desk.tree, unit.parent_id, self.name)
        desk.begin(self.path)
        store.set_unit(desk.connection, unit.id, self.name, unit.environment_type)
        return _placed(desk, self.path, unit, scope)


@dataclass(frozen=True, slots=True)
class RetypeUnit:
    """Say what sort of environment the unit at a path is; None: it is none."""

    path: str
    environment_type: EnvironmentType | None
    kind: str = "unit.retyped"

    def carry_out(self, desk: Desk) -> Outcome:
        """Change its type; nobody's access follows from it."""
        unit, scope = unit_named(desk.tree, self.path)
        # Whoever makes an environment of a unit could then delete it as one.
        stays = unit.environment_type is not None and self.environment_type is not None
        desk.require("environments:update" if stays else WRITE, scope)
        if unit.environment_type is self.environment_type:
            return _same(scope, self.path)
        desk.begin(self.path)
        store.set_unit(desk.connection, unit.id, unit.name, self.environment_type)
        desk.audit(scope, {"path": self.path, "from": unit.environment_type, "to": self.environment_type})
        return Outcome(scope, f"unit:{self.path}", f"unit:{self.path}")


@dataclass(frozen=True, slots=True)
class MoveUnit:
    """Put the unit at a path, with all that is in it, below another; ``to`` None: below the organization itself."""

    path: str
    to: str | None
    kind: str = "unit.moved"

    def carry_out(self, desk: Desk) -> Outcome:
        """Move it; raises Refused for a move into itself or too deep, Conflict where the name is taken."""
        unit, scope = unit_named(desk.tree, self.path)
        parent_id = the_unit(desk.tree, self.to)
        desk.require(WRITE, scope)
        desk.require(WRITE, unit_scope(desk.tree, parent_id))
        if parent_id == unit.parent_id:
            return _same(scope, self.path)
        _check_move(desk.tree, unit, parent_id)
        desk.require_inherited(scope, parent_id, WRITE)
        desk.begin(self.path)
        store.move_unit(desk.connection, desk.change, unit.id, parent_id)
        return _placed(desk, self.path, unit, scope)


@dataclass(frozen=True, slots=True)
class DeleteUnit:
    """Delete the unit at a path, which must be empty; grants at it end."""

    path: str
    kind: str = "unit.deleted"

    def carry_out(self, desk: Desk) -> Outcome:
        """Delete it; raises Refused while something is in it, or a mapping rule names it."""
        unit, scope = unit_named(desk.tree, self.path)
        desk.require("environments:delete" if unit.environment_type else WRITE, scope)
        inside = contents_of(desk.tree, unit.id)
        if inside:
            raise Refused(f"The unit {self.path} is not empty: it holds {', '.join(inside)}.")
        desk.refuse_named_by_rules([f"unit:{self.path}"])
        desk.require_taking([scope])
        desk.begin(self.path)
        ended = desk.end_grants([scope])
        store.remove_unit(desk.connection, desk.change, unit.id)
        desk.audit(scope, {"path": self.path, "environment_type": unit.environment_type, "grants_ended": ended})
        desk.follow()
        return Outcome(scope, f"unit:{self.path}", None)


def unit_named(tree: Tree, path: str) -> tuple[Unit, Scope]:
    """Return the unit at a path and its scope; raises NotFound, and Invalid for the organization itself."""
    unit_id = the_unit(tree, path)
    if unit_id is None:
        raise Invalid("That is the organization itself, not a unit.", field="path")
    return tree.units[unit_id], Scope(ScopeKind.UNIT, unit_id)


def unit_scope(tree: Tree, unit_id: UnitId | None) -> Scope:
    """Return a unit's scope; the organization's for None."""
    return tree.root if unit_id is None else Scope(ScopeKind.UNIT, unit_id)


def refuse_taken(tree: Tree, parent_id: UnitId | None, name: str) -> None:
    """Raise Conflict where a unit of that name is below that parent already."""
    if any(each.parent_id == parent_id and each.name == name for each in tree.units.values()):
        raise Conflict(f"There is a unit {name} in that place already.")


def contents_of(tree: Tree, unit_id: UnitId | None) -> list[str]:
    """Return what lies directly in a unit, by the names that scopes have."""
    found = [f"unit:{unit_path(tree, each.id)}" for each in tree.units.values() if each.parent_id == unit_id]
    found += [f"project:{each.name}" for each in tree.projects.values() if each.unit_id == unit_id]
    found += [f"cluster:{each.name}" for each in tree.clusters.values() if each.unit_id == unit_id]
    return sorted(found)


def _placed(desk: Desk, path: str, unit: Unit, scope: Scope) -> Outcome:
    """Say where a unit was and is, in the audit too, and let rules that name it follow."""
    now_at = unit_path(desk.reread(), unit.id)
    desk.audit(scope, {"from": path, "to": now_at})
    desk.follow((f"unit:{path}", f"unit:{now_at}"))
    return Outcome(scope, f"unit:{path}", f"unit:{now_at}")


def _same(scope: Scope, path: str) -> Outcome:
    return Outcome(scope, f"unit:{path}", f"unit:{path}", changed=False)


def _check_move(tree: Tree, unit: Unit, parent_id: UnitId | None) -> None:
    above = list(tree.units_above(parent_id))
    if unit.id in above:
        raise Refused("A unit cannot be moved into itself or into a unit below it.")
    refuse_taken(tree, parent_id, unit.name)
    lines = (list(tree.units_above(each)) for each in tree.units)
    height = max(line.index(unit.id) for line in lines if unit.id in line) + 1
    if len(above) + height > MAX_UNIT_DEPTH:
        raise Refused(f"Units are nested at most {MAX_UNIT_DEPTH} deep.")

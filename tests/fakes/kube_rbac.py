"""The RBAC authorizer of the fake API server, and its rule that nobody gives what they do not have."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MASTERS = "system:masters"
RBAC_GROUP = "rbac.authorization.k8s.io"

Rule = Mapping[str, Any]
Lister = Callable[[str], Iterable[Mapping[str, Any]]]


@dataclass(frozen=True)
class User:
    """Who sends a request."""

    name: str
    groups: tuple[str, ...] = ()

    @property
    def is_master(self) -> bool:
        return MASTERS in self.groups


@dataclass(frozen=True)
class Asked:
    """What somebody wants to do."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""


def rule_allows(rule: Rule, asked: Asked) -> bool:
    return (
        _has(rule, "verbs", asked.verb)
        and _has(rule, "apiGroups", asked.group)
        and _has(rule, "resources", asked.resource)
        and (not rule.get("resourceNames") or asked.name in rule["resourceNames"])
    )


def _has(rule: Rule, field: str, value: str) -> bool:
    values = rule.get(field) or []
    return "*" in values or value in values


class Authorizer:
    """Reads roles and bindings from the store at each question."""

    def __init__(self, list_objects: Lister) -> None:
        self._list = list_objects

    def allows(self, user: User, asked: Asked) -> bool:
        return user.is_master or any(rule_allows(rule, asked) for rule in self.rules_of(user, asked.namespace))

    def reason(self, user: User, asked: Asked) -> str:
        """Return the binding that allows something, in the server's own words; nothing for masters."""
        if user.is_master:
            return ""
        everywhere = [(binding, "") for binding in self._list("clusterrolebindings")]
        here = [(each, asked.namespace) for each in self._list("rolebindings") if asked.namespace]
        for binding, namespace in [*everywhere, *here]:
            if namespace and binding["metadata"]["namespace"] != namespace:
                continue
            rules = self.rules_of_role(binding["roleRef"], namespace)
            if _names(binding, user) and any(rule_allows(rule, asked) for rule in rules):
                name, role = binding["metadata"]["name"], binding["roleRef"]
                kind, place = ("RoleBinding", f"{name}/{namespace}") if namespace else ("ClusterRoleBinding", name)
                return f'RBAC: allowed by {kind} "{place}" of {role["kind"]} "{role["name"]}" to {_as(binding, user)}'
        return ""

    def rules_of(self, user: User, namespace: str) -> Iterator[Rule]:
        """Yield the rules that a user has in a namespace, or everywhere when it is empty."""
        for binding in self._list("clusterrolebindings"):
            if _names(binding, user):
                yield from self.rules_of_role(binding["roleRef"], "")
        for binding in self._list("rolebindings") if namespace else ():
            if binding["metadata"]["namespace"] == namespace and _names(binding, user):
                yield from self.rules_of_role(binding["roleRef"], namespace)

    def find_role(self, reference: Mapping[str, Any], namespace: str) -> Mapping[str, Any] | None:
        plural = "clusterroles" if reference["kind"] == "ClusterRole" else "roles"
        for role in self._list(plural):
            here = plural == "clusterroles" or role["metadata"]["namespace"] == namespace
            if here and role["metadata"]["name"] == reference["name"]:
                return role
        return None

    def rules_of_role(self, reference: Mapping[str, Any], namespace: str) -> list[Rule]:
        role = self.find_role(reference, namespace)
        return list((role or {}).get("rules") or [])

    def may_bind(self, user: User, reference: Mapping[str, Any], namespace: str) -> bool:
        plural = "clusterroles" if reference["kind"] == "ClusterRole" else "roles"
        return self.allows(user, Asked("bind", RBAC_GROUP, plural, namespace, reference["name"]))

    def holds_all(self, user: User, rules: Iterable[Rule], namespace: str) -> bool:
        """Tell whether a user has every right that these rules give."""
        if user.is_master:
            return True
        own = list(self.rules_of(user, namespace))
        return all(any(rule_allows(mine, asked) for mine in own) for rule in rules for asked in _spelled_out(rule))


def _spelled_out(rule: Rule) -> Iterator[Asked]:
    for verb in rule.get("verbs") or []:
        for group in rule.get("apiGroups") or []:
            for resource in rule.get("resources") or []:
                for name in rule.get("resourceNames") or [""]:
                    yield Asked(verb, group, resource, "", name)


def _names(binding: Mapping[str, Any], user: User) -> bool:
    for subject in binding.get("subjects") or []:
        if subject["kind"] == "User" and subject["name"] == user.name:
            return True
        if subject["kind"] == "Group" and subject["name"] in user.groups:
            return True
        account = f"system:serviceaccount:{subject.get('namespace')}:{subject['name']}"
        if subject["kind"] == "ServiceAccount" and account == user.name:
            return True
    return False


def _as(binding: Mapping[str, Any], user: User) -> str:
    for subject in binding.get("subjects") or []:
        if subject["kind"] == "User" and subject["name"] == user.name:
            return f'User "{user.name}"'
        if subject["kind"] == "Group" and subject["name"] in user.groups:
            return f'Group "{subject["name"]}"'
    return ""

"""
The bindings a cluster should have: keys, names, shards, rendered subjects.

A key is (organization, cluster, namespace or whole cluster, role, kind of subject, shard): one object per key, and
the name is a digest of it, so a changed role is a new object and never a refused update (roleRef is immutable).
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from json.encoder import encode_basestring_ascii as _quoted

from scim_bridge.domain.organizations import CaseRule, Cluster, ClusterId, OrganizationId
from scim_bridge.domain.people import Member
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid

LABEL_DOMAIN = "scim-bridge.dev"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "scim-bridge"
INSTANCE_LABEL = f"{LABEL_DOMAIN}/instance"
ORGANIZATION_LABEL = f"{LABEL_DOMAIN}/organization"
CLUSTER_LABEL = f"{LABEL_DOMAIN}/cluster"
KEY_ANNOTATION = f"{LABEL_DOMAIN}/key"
HASH_ANNOTATION = f"{LABEL_DOMAIN}/subjects-hash"
NAME_PREFIX = "scimb-"
MAX_SHARD_BITS = 12
MAX_KEY = 2048
MAX_SUBJECT = 1024
TEMPLATE_FIELDS = ("user_name", "email", "external_id", "member_id")


class SubjectKind(StrEnum):
    """Users by default: a User subject that is removed loses access at once."""

    USER = "User"
    GROUP = "Group"


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """Shard ``index`` of the ``2 ** bits`` that one family of bindings is split into."""

    bits: int = 0
    index: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """What a set of shards has in common; ``namespace`` None means the whole cluster (ClusterRoleBinding)."""

    namespace: str | None
    role: KubernetesRole
    subject_kind: SubjectKind = SubjectKind.USER

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """Return the order in which families are planned."""
        return (self.namespace or "", self.role.value, self.subject_kind.value)


@dataclass(frozen=True, slots=True)
class BindingKey:
    """The identity of one object on one cluster."""

    organization_id: OrganizationId
    cluster_id: ClusterId
    family: Family
    shard: Shard = Shard()

    @property
    def canonical(self) -> str:
        """Return the key as canonical JSON: what the annotation holds and the name is a digest of."""
        # By hand, for a pass does this for every object: what json.dumps makes with sorted keys and without blanks.
        family, shard = self.family, self.shard
        namespace = "null" if family.namespace is None else _quoted(family.namespace)
        return (
            f'{{"cluster":{_quoted(self.cluster_id)},"namespace":{namespace}'
            f',"organization":{_quoted(self.organization_id)},"role":{_quoted(family.role.value)}'
            f',"shard":[{shard.bits},{shard.index}],"subjects":{_quoted(family.subject_kind.value)}}}'
        )

    @property
    def sort_key(self) -> tuple[tuple[str, str, str], Shard]:
        """Return the order in which objects are planned and listed."""
        return (self.family.sort_key, self.shard)


@dataclass(frozen=True, slots=True)
class Binding:
    """One RoleBinding or ClusterRoleBinding with its subjects, sorted and without duplicates."""

    key: BindingKey
    subjects: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Return a digest of the subjects, for comparing without reading them."""
        return hashlib.sha256("\n".join(self.subjects).encode()).hexdigest()[:32]


def parse_key(text: str) -> BindingKey:
    """Read a key annotation; raises Invalid when it is not one of ours."""
    try:
        # Whoever may write bindings writes what they like here: nothing of it may stop a pass.
        data = json.loads(text[: MAX_KEY + 1])
        bits, index = data["shard"]
        if type(bits) is not int or type(index) is not int or not isinstance(data["namespace"], str | None):
            raise Invalid("not a key of this product: a part of it is of the wrong kind")
        if not 0 <= bits <= MAX_SHARD_BITS or not 0 <= index < 2**bits:
            raise Invalid("not a key of this product: there is no such shard")
        key = BindingKey(
            OrganizationId(str(data["organization"])),
            ClusterId(str(data["cluster"])),
            Family(data["namespace"], KubernetesRole(data["role"]), SubjectKind(data["subjects"])),
            Shard(bits, index),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid(f"not a key of this product: {error}") from error
    if key.canonical != text:
        raise Invalid("not a key of this product: not in canonical form")
    return key


def binding_name(instance: str, key: BindingKey) -> str:
    """
    Return the object's name: ``scimb-<instance>-<role>-<80 bits of the key's digest>``, at most 63 characters.

    The digest is over canonical JSON: joining parts with "-" would give ("a-b", "c") and ("a", "b-c") one name.
    """
    digest = hashlib.sha256(key.canonical.encode()).digest()[:10]
    code = base64.b32encode(digest).decode().lower()
    return f"{NAME_PREFIX}{instance[:12]}-{_slug(key.family.role)}-{code}"


@cache
def _slug(role: KubernetesRole) -> str:
    return re.sub(r"[^a-z0-9]+", "-", role.value.lower())[:24].strip("-")


def our_key(instance: str, name: str, labels: dict[str, str], annotation: str | None) -> BindingKey | None:
    """Return an object's key if it is this installation's: our label *and* a key annotation that hashes to its name."""
    if labels.get(MANAGED_BY_LABEL) != MANAGED_BY or labels.get(INSTANCE_LABEL) != instance or not annotation:
        return None
    try:
        key = parse_key(annotation)
    except Invalid:
        return None
    return key if binding_name(instance, key) == name else None


def render_subject(cluster: Cluster, member: Member) -> str:
    """
    Render the user string that the cluster's authenticator would produce for a member.

    Raises Invalid for an empty result or a ``system:`` one: those names belong to Kubernetes itself.
    """
    values = {
        "user_name": member.user_name,
        "email": member.email or "",
        "external_id": member.external_id or "",
        "member_id": member.id,
    }
    text = _expand(cluster.user_template, values)
    if cluster.case_rule is CaseRule.LOWER:
        text = text.lower()
    if len(text) > MAX_SUBJECT:
        raise Invalid(f"the subject has more than {MAX_SUBJECT} characters")
    if not text.strip() or any(not values[name] for name in template_fields(cluster.user_template)):
        raise Invalid(f"The subject template {cluster.user_template!r} has no value for this person.")
    if text.lower().startswith("system:") or text != text.strip() or not text.isprintable():
        raise Invalid(f"{text!r} cannot be a subject: it is reserved or has blanks at its ends")
    return text


def template_fields(template: str) -> tuple[str, ...]:
    """Return the fields that a subject template names; raises Invalid for one that does not exist."""
    names = tuple(re.findall(r"\{([^{}]*)\}", template))
    unknown = [name for name in names if name not in TEMPLATE_FIELDS]
    rest = re.sub(r"\{[^{}]*\}", "", template)
    if not names or unknown or "{" in rest or "}" in rest:
        raise Invalid(
            f"The subject template {template!r} must name one of the fields "
            f"{', '.join(TEMPLATE_FIELDS)} in braces, and nothing else.",
            field="user_template",
        )
    if rest.lower().startswith("system:") and template.lower().startswith("system:"):
        raise Invalid("A subject template may not make system: names.", field="user_template")
    return names


def _expand(template: str, values: dict[str, str]) -> str:
    # Not str.format: a template must not reach into attributes ("{user_name.__class__}").
    return re.sub(r"\{([^{}]*)\}", lambda found: values.get(found.group(1), ""), template)


def shard_of(subject: str, bits: int) -> int:
    """Return the shard a subject belongs to: the top ``bits`` bits of its digest."""
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[:4], "big") >> (32 - bits)


def shard_bits(count: int, per_binding: int, current: int = 0) -> int:
    """
    Return how many bits a family of ``count`` subjects is split by: ``2 ** bits >= count / per_binding``.

    A family keeps its current split until it is over by a quarter or under a quarter, so that one person who comes
    and goes does not rewrite every shard.
    """
    wanted = max(0, (max(count, 1) - 1) // per_binding).bit_length()
    if wanted == current + 1 and count <= per_binding * 2**current * 5 // 4:
        return current
    if wanted < current and count * 4 > per_binding * 2**current:
        return current
    return min(wanted, MAX_SHARD_BITS)


def shard_family(
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    family: Family,
    subjects: Iterable[str],
    bits: int,
) -> list[Binding]:
    """Split a family's subjects into bindings; a shard without subjects has no binding."""
    shards: dict[int, set[str]] = {}
    for subject in subjects:
        shards.setdefault(shard_of(subject, bits), set()).add(subject)
    return [
        Binding(BindingKey(organization_id, cluster_id, family, Shard(bits, index)), tuple(sorted(members)))
        for index, members in sorted(shards.items())
    ]

"""What may be added to the bootstrap manifest: a policy over the bridge's own writes, its share of the API, Events."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scim_bridge.clusters.objects import API_GROUP, API_VERSION
from scim_bridge.domain.bindings import KEY_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL, NAME_PREFIX, SubjectKind

ADMISSION = "admissionregistration.k8s.io/v1"
FLOW_CONTROL = "flowcontrol.apiserver.k8s.io/v1"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Extras:
    """Which parts are wanted: the policy needs Kubernetes 1.30, the flow schema 1.29."""

    admission_policy: bool = False
    flow_schema: bool = False
    events: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The bridge's service account, and the name of what belongs to it in the whole cluster."""

    namespace: str
    name: str
    identity: str

    @property
    def user_name(self) -> str:
        """Return the user that the API server takes it for."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


def extra_documents(account: Account, roles: Iterable[str], wanted: Extras) -> list[Document]:
    """Return the objects of the parts that are wanted."""
    found: list[Document] = []
    if wanted.events:
        found += _events(account)
    if wanted.admission_policy:
        found += _admission(account, sorted(roles), events=wanted.events)
    if wanted.flow_schema:
        found += _flow(account)
    return found


def _admission(account: Account, roles: list[str], *, events: bool) -> list[Document]:
    """
    Return a policy that refuses the bridge whatever is not its own work, whichever rights RBAC gives it.

    RBAC cannot say which names may be created, nor for whom: without this, who holds the token may give the roles to
    anybody under any name. It concerns nobody else, for it looks at requests of this one account alone.
    """
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["*"],
                    "apiVersions": ["*"],
                    "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
                    "resources": ["*/*"],
                }
            ]
        },
        "matchConditions": [
            {"name": "the-bridge", "expression": f"request.userInfo.username == '{account.user_name}'"}
        ],
        "variables": _variables(account, events=events),
        "validations": _validations(roles),
    }
    binding = {"policyName": account.identity, "validationActions": ["Deny", "Audit"]}
    return [
        _wide(ADMISSION, "ValidatingAdmissionPolicy", account, spec),
        _wide(ADMISSION, "ValidatingAdmissionPolicyBinding", account, binding),
    ]


def _variables(account: Account, *, events: bool) -> list[dict[str, str]]:
    resource = "request.resource.resource"
    binding = (
        f"request.resource.group == '{API_GROUP}' && {resource} in ['clusterrolebindings', 'rolebindings'] "
        "&& (!has(request.subResource) || request.subResource == '')"
    )
    event = (
        f"request.resource.group == '' && {resource} == 'events' && request.operation == 'CREATE' "
        f"&& request.namespace == '{account.namespace}'"
    )
    return [
        {"name": "isBinding", "expression": binding},
        {"name": "isQuestion", "expression": "request.resource.group == 'authorization.k8s.io'"},
        {"name": "isEvent", "expression": event if events else "false"},
    ]


def _validations(roles: list[str]) -> list[dict[str, str]]:
    """Return the rules; what is deleted has no new object, what is created no old one."""
    ours = (
        f"has(it.metadata.name) && it.metadata.name.startsWith('{NAME_PREFIX}') "
        f"&& has(it.metadata.labels) && '{MANAGED_BY_LABEL}' in it.metadata.labels "
        f"&& it.metadata.labels['{MANAGED_BY_LABEL}'] == '{MANAGED_BY}' "
        f"&& has(it.metadata.annotations) && '{KEY_ANNOTATION}' in it.metadata.annotations"
    )
    kinds = ", ".join(f"'{kind.value}'" for kind in SubjectKind)
    names = ", ".join(f"'{role}'" for role in roles)
    people = f"object.subjects.all(it, it.kind in [{kinds}] && !it.name.startsWith('system:'))"
    role = f"object.roleRef.kind == 'ClusterRole' && object.roleRef.name in [{names}]"
    return [
        _rule("variables.isBinding || variables.isQuestion || variables.isEvent", "the bridge writes bindings alone"),
        _rule(
            f"!variables.isBinding || [object, oldObject].all(it, it == null || ({ours}))",
            "it is not a binding of the bridge's: by its name, its label and its key",
        ),
        _rule(f"!variables.isBinding || object == null || ({role})", f"the bridge gives no role but {names or 'none'}"),
        _rule(
            f"!variables.isBinding || object == null || !has(object.subjects) || {people}",
            "the bridge gives roles to users and groups, and never to those of Kubernetes itself",
        ),
    ]


def _rule(expression: str, message: str) -> dict[str, str]:
    return {"expression": expression, "message": message, "reason": "Forbidden"}


def _flow(account: Account) -> list[Document]:
    """Return a share of the API of the bridge's own: other accounts neither delay it nor are delayed by it."""
    level = {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": 5,
            "limitResponse": {
                "type": "Queue",
                "queuing": {"queues": 16, "handSize": 4, "queueLengthLimit": 50},
            },
        },
    }
    subject = {"kind": "ServiceAccount", "serviceAccount": {"namespace": account.namespace, "name": account.name}}
    everything = {
        "verbs": ["*"],
        "apiGroups": ["*"],
        "resources": ["*"],
        "clusterScope": True,
        "namespaces": ["*"],
    }
    schema = {
        "priorityLevelConfiguration": {"name": account.identity},
        # Before Kubernetes' own schema of all service accounts, which is 9000; behind those of its own components.
        "matchingPrecedence": 1000,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": [
            {
                "subjects": [subject],
                "resourceRules": [everything],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            }
        ],
    }
    return [
        _wide(FLOW_CONTROL, "PriorityLevelConfiguration", account, level),
        _wide(FLOW_CONTROL, "FlowSchema", account, schema),
    ]


def _events(account: Account) -> list[Document]:
    """Return the right to say what happened, in the bridge's own namespace and nowhere else."""
    metadata = {"name": f"{account.name}-events", "namespace": account.namespace}
    subject = {"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}
    return [
        {
            "apiVersion": API_VERSION,
            "kind": "Role",
            "metadata": metadata,
            "rules": [{"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}],
        },
        {
            "apiVersion": API_VERSION,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": API_GROUP, "kind": "Role", "name": metadata["name"]},
            "subjects": [subject],
        },
    ]


def _wide(version: str, kind: str, account: Account, spec: Document) -> Document:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": account.identity}, "spec": spec}

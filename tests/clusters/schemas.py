"""
What Kubernetes takes of kinds that the test server does not serve.

From the published OpenAPI of Kubernetes 1.30: the fields that the bootstrap manifest uses, with their types and values;
a field that is not here is refused, as the API server's strict validation does.
"""

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
LABEL: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}
IDENTIFIER: Schema = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 63}
REASONS = ["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"]


def closed(**properties: Schema) -> Schema:
    """An object with exactly these fields."""
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def listed(item: Schema, most: int = 1000) -> Schema:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": most}


def kind(version: str, name: str, spec: Schema) -> Schema:
    return closed(
        apiVersion={"const": version}, kind={"const": name}, metadata=closed(name=LABEL), spec=spec,
    )  # fmt: skip


NAMED_EXPRESSION = closed(name=LABEL, expression=TEXT)
RULE = closed(
    apiGroups=listed(TEXT),
    apiVersions=listed(TEXT),
    operations=listed({"enum": ["*", "CREATE", "UPDATE", "DELETE", "CONNECT"]}),
    resources=listed(TEXT),
)
POLICY = closed(
    failurePolicy={"enum": ["Fail", "Ignore"]},
    matchConstraints=closed(resourceRules=listed(RULE)),
    # At most 64, as the API says.
    matchConditions=listed(NAMED_EXPRESSION, 64),
    variables=listed(closed(name=IDENTIFIER, expression=TEXT)),
    validations=listed(
        closed(expression=TEXT, message={"type": "string", "pattern": "^[^\n]+$"}, reason={"enum": REASONS})
    ),
)
POLICY_BINDING = closed(policyName=LABEL, validationActions=listed({"enum": ["Deny", "Warn", "Audit"]}))
LEVEL = closed(
    type={"enum": ["Limited", "Exempt"]},
    limited=closed(
        nominalConcurrencyShares={"type": "integer", "minimum": 0},
        limitResponse=closed(
            type={"enum": ["Queue", "Reject"]},
            queuing=closed(
                queues={"type": "integer", "minimum": 1},
                handSize={"type": "integer", "minimum": 1},
                queueLengthLimit={"type": "integer", "minimum": 1},
            ),
        ),
    ),
)
ACCOUNT = closed(namespace=LABEL, name=LABEL)
FLOW = closed(
    priorityLevelConfiguration=closed(name=LABEL),
    matchingPrecedence={"type": "integer", "minimum": 1, "maximum": 10_000},
    distinguisherMethod=closed(type={"enum": ["ByUser", "ByNamespace"]}),
    rules=listed(
        closed(
            subjects=listed(closed(kind={"const": "ServiceAccount"}, serviceAccount=ACCOUNT)),
            resourceRules=listed(
                closed(
                    verbs=listed(TEXT), apiGroups=listed(TEXT), resources=listed(TEXT),
                    clusterScope={"type": "boolean"}, namespaces=listed(TEXT),
                )
            ),
            nonResourceRules=listed(closed(verbs=listed(TEXT), nonResourceURLs=listed(TEXT))),
        )
    ),
)  # fmt: skip

NOT_SERVED: dict[str, Schema] = {
    "ValidatingAdmissionPolicy": kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", POLICY),
    "ValidatingAdmissionPolicyBinding": kind(
        "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", POLICY_BINDING
    ),
    "PriorityLevelConfiguration": kind("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", LEVEL),
    "FlowSchema": kind("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", FLOW),
}
"""By kind; the test server of this project (1.20) serves none of them at these versions."""

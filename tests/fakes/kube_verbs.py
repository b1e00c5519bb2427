"""
What the fake API server does for each verb, in the order in which a real one does it.

Authorization; is the namespace there; may the role be given away; is the version the present one; is it valid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from uuid import uuid4

from tests.fakes.kube_checks import require_fitting, require_known_uid, require_valid, with_defaults, without_empty
from tests.fakes.kube_fields import Owners, apply, updated_owners
from tests.fakes.kube_objects import Document, Objects, Page, Resource, Stored
from tests.fakes.kube_rbac import Asked, Authorizer, User
from tests.fakes.kube_selectors import parse_selector
from tests.fakes.kube_status import Refusal, already_exists, bad_request, conflict, forbidden, invalid, not_found

COPIED = ("uid", "creationTimestamp", "deletionTimestamp")


@dataclass(frozen=True)
class Call:
    """One request for objects."""

    user: User
    resource: Resource
    namespace: str = ""
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    manager: str = "unknown"

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.name)

    @property
    def is_dry(self) -> bool:
        return self.query.get("dryRun") == "All"


class Verbs:
    """Objects behind RBAC; every call is one step under one lock."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.objects = Objects()
        self.authorizer = Authorizer(self.objects.all_of)

    def require_allowed(self, call: Call, verb: str) -> None:
        asked = Asked(verb, call.resource.group, call.resource.plural, call.namespace, call.name)
        if not self.authorizer.allows(call.user, asked):
            place = f'in the namespace "{call.namespace}"' if call.namespace else "at the cluster scope"
            what = f'resource "{asked.resource}" in API group "{asked.group}"'
            why = f'User "{call.user.name}" cannot {verb} {what} {place}'
            raise forbidden(call.resource.plural, call.resource.group, call.name, why)

    def get(self, call: Call) -> Stored:
        found = self.objects.find(call.resource.plural, call.key)
        if found is None:
            raise not_found(call.resource.plural, call.resource.group, call.name)
        return found

    def list(self, call: Call) -> Page:
        query = call.query
        limit, token, version = int(query.get("limit") or 0), query.get("continue", ""), query.get("resourceVersion")
        if version == "0" and not token:
            # Straight from the cache, which knows no pages.
            limit = 0
        elif version and query.get("resourceVersionMatch") == "Exact":
            self.objects.require_state(version)
        text = query.get("labelSelector", "")
        selector = parse_selector(text) if text else None
        return self.objects.page(call.resource.plural, call.namespace, selector, limit, token)

    def create(self, call: Call, document: Document) -> Stored:
        require_fitting(call.resource, document, call.namespace, None)
        fresh = with_defaults(call.resource, document, call.namespace, None)
        name = str(fresh["metadata"].get("name", ""))
        self._require_namespace(call, name)
        self._require_may_give(call, fresh, name)
        if fresh["metadata"].get("resourceVersion"):
            raise _version_on_create()
        fresh = _begin(call.resource, fresh)
        require_valid(call.resource, fresh, None)
        if self.objects.find(call.resource.plural, (call.namespace, name)) is not None:
            raise already_exists(call.resource.plural, call.resource.group, name)
        return self._write(call, fresh, updated_owners(None, fresh, {}, call.manager))

    def replace(self, call: Call, document: Document) -> tuple[Stored, bool]:
        """PUT: RBAC objects are created by it too."""
        require_fitting(call.resource, document, call.namespace, call.name)
        wanted = with_defaults(call.resource, document, call.namespace, call.name)
        before = self.objects.find(call.resource.plural, call.key)
        uid = wanted["metadata"].get("uid")
        if before is not None and uid and uid != before.metadata["uid"]:
            raise conflict(call.resource.plural, call.resource.group, call.name, "Precondition failed: UID")
        owners = updated_owners(
            before.document if before else None, without_empty(wanted), before.owners if before else {}, call.manager
        )
        return self._update(call, before, wanted, owners)

    def merge(self, call: Call, patch: Document) -> tuple[Stored, bool]:
        """Patch by RFC 7396."""
        before = self.get(call)
        wanted = merged(before.document, patch)
        if wanted["metadata"].get("name") != call.name:
            raise bad_request("the name of the object does not match the name on the URL")
        wanted = with_defaults(call.resource, wanted, call.namespace, call.name)
        owners = updated_owners(before.document, without_empty(wanted), before.owners, call.manager)
        return self._update(call, before, wanted, owners)

    def apply(self, call: Call, document: Document) -> tuple[Stored, bool]:
        """Server-side apply."""
        if not call.query.get("fieldManager"):
            raise invalid(
                "PatchOptions", "meta.k8s.io", "", [("fieldManager", "Required value: is required for apply patch")]
            )
        require_fitting(call.resource, document, call.namespace, call.name)
        wanted = with_defaults(call.resource, document, call.namespace, call.name)
        before = self.objects.find(call.resource.plural, call.key)
        force = call.query.get("force", "").lower() == "true"
        after, owners = apply(
            before.document if before else None, wanted, before.owners if before else {}, call.manager, force=force
        )
        named = {key: wanted["metadata"][key] for key in ("uid", "resourceVersion") if key in wanted["metadata"]}
        place = {"name": call.name} | ({"namespace": call.namespace} if call.resource.is_namespaced else {})
        after["metadata"] = after.get("metadata", {}) | place | named
        return self._update(call, before, after, owners)

    def delete(self, call: Call, options: Mapping[str, Any]) -> Stored | None:
        """Return the object when it stays for its finalizers, None when it is gone."""
        found = self.get(call)
        # Options in the body are all that a server looks at.
        is_dry = options.get("dryRun") == ["All"] if options else call.is_dry
        for key, wanted in (options.get("preconditions") or {}).items():
            if found.metadata[key] != wanted:
                why = f"the {key} in the precondition ({wanted}) does not match the {key} in record"
                raise conflict(call.resource.plural, call.resource.group, call.name, why)
        stays = found.metadata.get("finalizers") or found.document.get("spec", {}).get("finalizers")
        if stays:
            marked = found.document | {"metadata": {**found.metadata, "deletionTimestamp": "2020-01-01T00:00:00Z"}}
            if not call.resource.group:
                marked |= {"status": {"phase": "Terminating"}}
            return found if is_dry else self.objects.write(call.resource, marked, found.owners)
        if not is_dry:
            self.objects.remove(call.resource.plural, call.key)
        return None

    def _update(self, call: Call, before: Stored | None, wanted: Document, owners: Owners) -> tuple[Stored, bool]:
        """Store what a PUT or patch made of an object; tell whether it is new."""
        wanted = without_empty(wanted)
        if before is None:
            return self._create_by_update(call, wanted, owners), True
        given = wanted["metadata"].get("resourceVersion")
        kept = {key: before.metadata[key] for key in COPIED if key in before.metadata}
        after = wanted | {
            "metadata": wanted["metadata"] | kept | {"resourceVersion": before.metadata["resourceVersion"]}
        }
        is_same = after == before.document
        if not is_same:
            self._require_may_give(call, after, call.name)
        if given and given != before.metadata["resourceVersion"]:
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise conflict(call.resource.plural, call.resource.group, call.name, why)
        require_known_uid(call.resource, wanted, before)
        require_valid(call.resource, after, before)
        if is_same and owners == before.owners:
            return before, False
        if after["metadata"].get("deletionTimestamp") and not after["metadata"].get("finalizers"):
            self.objects.remove(call.resource.plural, call.key)
            return before, False
        return self._write(call, after, owners), False

    def _create_by_update(self, call: Call, wanted: Document, owners: Owners) -> Stored:
        if uid := wanted["metadata"].get("uid"):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(call.resource.plural, call.resource.group, call.name, why)
        self.require_allowed(call, "create")
        self._require_namespace(call, call.name)
        self._require_may_give(call, wanted, call.name)
        fresh = _begin(call.resource, wanted)
        require_valid(call.resource, fresh, None)
        return self._write(call, fresh, owners)

    def _write(self, call: Call, document: Document, owners: Owners) -> Stored:
        if call.is_dry:
            return Stored(document, owners, call.resource.api_version)
        return self.objects.write(call.resource, document, owners)

    def _require_namespace(self, call: Call, name: str) -> None:
        if not call.resource.is_namespaced:
            return
        found = self.objects.find("namespaces", ("", call.namespace))
        if found is None:
            raise not_found("namespaces", "", call.namespace)
        if found.document["status"]["phase"] == "Terminating":
            message = f"namespace {call.namespace} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
            why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
            raise forbidden(call.resource.plural, call.resource.group, name, why, [cause])

    def _require_may_give(self, call: Call, document: Document, name: str) -> None:
        """Refuse to give rights that the giver does not have."""
        user, resource = call.user, call.resource
        if user.is_master or not resource.group:
            return
        if resource.is_binding:
            reference = document.get("roleRef") or {}
            if self.authorizer.may_bind(user, reference, call.namespace):
                return
            role = self.authorizer.find_role(reference, call.namespace)
            if role is None:
                plural = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
                raise not_found(plural, resource.group, str(reference.get("name", "")))
            rules = role.get("rules") or []
        else:
            if self.authorizer.allows(user, Asked("escalate", resource.group, resource.plural, call.namespace, name)):
                return
            rules = document.get("rules") or []
        if not self.authorizer.holds_all(user, rules, call.namespace):
            why = f'user "{user.name}" is attempting to grant RBAC permissions not currently held:\n{rules}'
            raise forbidden(resource.plural, resource.group, name, why)


def merged(before: Mapping[str, Any], patch: Mapping[str, Any]) -> Document:
    """Apply a JSON merge patch."""
    after = dict(before)
    for key, value in patch.items():
        if value is None:
            after.pop(key, None)
        elif isinstance(value, dict):
            after[key] = merged(found if isinstance(found := after.get(key), dict) else {}, value)
        else:
            after[key] = value
    return after


def _begin(resource: Resource, document: Document) -> Document:
    """Give a new object what every one has."""
    found = without_empty(document)
    metadata = found["metadata"] | {"uid": str(uuid4()), "creationTimestamp": "2020-01-01T00:00:00Z"}
    if not resource.group:
        found = found | {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    return found | {"metadata": metadata}


def _version_on_create() -> Refusal:
    return Refusal(500, "", "resourceVersion should not be set on objects to be created")

"""What an API server does with single objects: names, roleRef, subjects, apply, dry runs, deletes, sizes."""

from typing import Any

import pytest

from tests.kube.client import CRBS, KubeClient
from tests.kube.world import binding, bindings_in, create_namespace, eventually


def subjects_of(admin: KubeClient, name: str) -> list[str]:
    found = admin.get(f"{CRBS}/{name}").document
    return [subject["name"] for subject in found.get("subjects") or []]


def options(uid: str | None = None, version: str | None = None) -> dict[str, Any]:
    wanted = {key: value for key, value in (("uid", uid), ("resourceVersion", version)) if value is not None}
    return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": wanted}


def test_a_created_object_has_a_version_and_a_uid(admin: KubeClient, own: str) -> None:
    made = admin.post(CRBS, binding(own, "view", "ana"))

    read = admin.get(f"{CRBS}/{own}")

    assert (made.status, read.status) == (201, 200)
    assert made.document["kind"] == read.document["kind"] == "ClusterRoleBinding"
    assert made.document["metadata"]["uid"]
    assert made.version == read.version


def test_names_of_rbac_objects_are_no_dns_names(admin: KubeClient, own: str) -> None:
    name = f"scim:Org:dev@x.com-{own}"

    made = admin.post(CRBS, binding(name, "view", "ana"))

    assert made.status == 201
    assert admin.get(f"{CRBS}/{name}").status == 200


@pytest.mark.parametrize("name", ["a/b", "a%b", "..", "."])
def test_a_name_that_is_no_path_segment_is_refused(admin: KubeClient, name: str) -> None:
    made = admin.post(CRBS, binding(name, "view", "ana"))

    assert (made.status, made.reason) == (422, "Invalid")
    assert made.causes[0]["field"] == "metadata.name"


def test_a_second_create_says_already_exists(admin: KubeClient, own: str) -> None:
    admin.post(CRBS, binding(own, "view", "ana"))

    again = admin.post(CRBS, binding(own, "view", "bob"))

    assert (again.status, again.reason) == (409, "AlreadyExists")
    assert again.document["details"]["name"] == own
    assert subjects_of(admin, own) == ["ana"]


def test_a_create_that_names_a_version_is_refused(admin: KubeClient, own: str) -> None:
    document = binding(own, "view", "ana")
    document["metadata"]["resourceVersion"] = "1"

    made = admin.post(CRBS, document)

    assert made.status == 500
    assert "resourceVersion should not be set" in made.document["message"]


def test_what_is_not_there_is_answered_by_its_name(admin: KubeClient, own: str) -> None:
    read = admin.get(f"{CRBS}/{own}")

    assert (read.status, read.reason) == (404, "NotFound")
    assert read.document["details"]["name"] == own


def test_a_path_that_no_server_knows_is_a_404_without_a_status_object(admin: KubeClient) -> None:
    read = admin.get("/apis/nobody.example.com/v1/things")

    assert read.status == 404
    assert b'"kind":"Status"' not in read.body


def test_a_role_is_not_changed_by_a_put(admin: KubeClient, own: str) -> None:
    admin.post(CRBS, binding(own, "view", "ana"))

    put = admin.put(f"{CRBS}/{own}", binding(own, "edit", "ana"))

    assert (put.status, put.reason) == (422, "Invalid")
    assert [cause["field"] for cause in put.causes] == ["roleRef"]


def test_a_role_is_not_changed_by_a_forced_apply(admin: KubeClient, own: str) -> None:
    admin.post(CRBS, binding(own, "view", "ana"))

    applied = admin.apply(f"{CRBS}/{own}", binding(own, "edit", "ana"), force=True)

    assert (applied.status, applied.reason) == (422, "Invalid")
    assert [cause["field"] for cause in applied.causes] == ["roleRef"]


def test_a_put_of_an_old_version_is_a_conflict(admin: KubeClient, own: str) -> None:
    made = admin.post(CRBS, binding(own, "view", "ana"))
    admin.put(f"{CRBS}/{own}", binding(own, "view", "bob"))

    put = admin.put(f"{CRBS}/{own}", made.document)

    assert (put.status, put.reason) == (409, "Conflict")
    assert subjects_of(admin, own) == ["bob"]


def test_subjects_are_stored_as_sent_twice_and_in_any_order(admin: KubeClient, own: str) -> None:
    admin.apply(f"{CRBS}/{own}", binding(own, "view", "cid", "ana", "ana"))

    assert subjects_of(admin, own) == ["cid", "ana", "ana"]


def test_apply_creates_and_then_updates(admin: KubeClient, own: str) -> None:
    first = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))
    second = admin.apply(f"{CRBS}/{own}", binding(own, "view", "bob"))

    assert (first.status, second.status) == (201, 200)
    assert first.version != second.version
    assert subjects_of(admin, own) == ["bob"]


def test_an_apply_that_changes_nothing_makes_no_version(admin: KubeClient, own: str) -> None:
    first = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))

    second = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))

    assert (second.status, second.version) == (200, first.version)


def test_an_apply_without_subjects_takes_all_of_them(admin: KubeClient, own: str) -> None:
    admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))
    without = binding(own, "view")
    del without["subjects"]

    admin.apply(f"{CRBS}/{own}", without)

    assert subjects_of(admin, own) == []


def test_an_apply_needs_the_name_of_a_manager(admin: KubeClient, own: str) -> None:
    applied = admin.send("PATCH", f"{CRBS}/{own}", binding(own, "view"), "application/apply-patch+yaml")

    assert applied.status == 422
    assert applied.causes[0]["field"] == "fieldManager"


def test_another_ones_edit_is_a_conflict_that_names_field_and_manager(admin: KubeClient, own: str) -> None:
    admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))
    admin.merge(f"{CRBS}/{own}", {"subjects": binding(own, "view", "eve")["subjects"]}, fieldManager="by-hand")

    applied = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))

    assert (applied.status, applied.reason) == (409, "Conflict")
    assert [(cause["reason"], cause["field"]) for cause in applied.causes] == [("FieldManagerConflict", ".subjects")]
    assert "by-hand" in applied.causes[0]["message"]
    assert subjects_of(admin, own) == ["eve"]


def test_force_overwrites_another_ones_edit(admin: KubeClient, own: str) -> None:
    admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))
    admin.merge(f"{CRBS}/{own}", {"subjects": binding(own, "view", "eve")["subjects"]}, fieldManager="by-hand")

    applied = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"), force=True)

    assert applied.status == 200
    assert subjects_of(admin, own) == ["ana"]


def test_apply_keeps_other_ones_labels_and_takes_its_own(admin: KubeClient, own: str) -> None:
    admin.apply(f"{CRBS}/{own}", binding(own, "view", labels={"ours": "1", "old": "1"}))
    admin.merge(f"{CRBS}/{own}", {"metadata": {"labels": {"theirs": "1"}}}, fieldManager="by-hand")

    applied = admin.apply(f"{CRBS}/{own}", binding(own, "view", labels={"ours": "1"}))

    assert applied.document["metadata"]["labels"] == {"ours": "1", "theirs": "1"}


def test_an_apply_of_an_old_version_is_a_conflict_even_with_force(admin: KubeClient, own: str) -> None:
    first = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))
    admin.apply(f"{CRBS}/{own}", binding(own, "view", "bob"))
    document = binding(own, "view", "cid")
    document["metadata"] |= {"uid": first.document["metadata"]["uid"], "resourceVersion": first.version}

    applied = admin.apply(f"{CRBS}/{own}", document, force=True)

    assert (applied.status, applied.reason) == (409, "Conflict")
    assert subjects_of(admin, own) == ["bob"]


def test_an_apply_of_an_object_that_is_gone_creates_nothing_if_it_names_the_uid(admin: KubeClient, own: str) -> None:
    first = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))
    admin.delete(f"{CRBS}/{own}")
    document = binding(own, "view", "ana")
    document["metadata"] |= {"uid": first.document["metadata"]["uid"], "resourceVersion": first.version}

    applied = admin.apply(f"{CRBS}/{own}", document, force=True)

    assert (applied.status, applied.reason) == (409, "Conflict")
    assert admin.get(f"{CRBS}/{own}").status == 404


def test_the_version_alone_does_not_keep_an_apply_from_creating(admin: KubeClient, own: str) -> None:
    first = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))
    admin.delete(f"{CRBS}/{own}")
    document = binding(own, "view", "ana")
    document["metadata"] |= {"resourceVersion": first.version}

    applied = admin.apply(f"{CRBS}/{own}", document, force=True)

    assert applied.status == 201


def test_a_put_of_an_object_that_is_gone_creates_nothing(admin: KubeClient, own: str) -> None:
    made = admin.post(CRBS, binding(own, "view", "ana"))
    admin.delete(f"{CRBS}/{own}")

    put = admin.put(f"{CRBS}/{own}", made.document)

    assert (put.status, put.reason) == (409, "Conflict")
    assert admin.get(f"{CRBS}/{own}").status == 404


def test_an_apply_onto_another_object_of_that_name_is_refused(admin: KubeClient, own: str) -> None:
    first = admin.apply(f"{CRBS}/{own}", binding(own, "view", "ana"))
    admin.delete(f"{CRBS}/{own}")
    second = admin.apply(f"{CRBS}/{own}", binding(own, "view", "bob"))
    document = binding(own, "view", "ana")
    document["metadata"] |= {"uid": first.document["metadata"]["uid"], "resourceVersion": second.version}

    applied = admin.apply(f"{CRBS}/{own}", document, force=True)

    assert (applied.status, applied.causes[0]["field"]) == (422, "metadata.uid")
    assert subjects_of(admin, own) == ["bob"]


def test_a_missing_namespace_is_not_found(admin: KubeClient, own: str) -> None:
    made = admin.post(bindings_in(own), binding("b", "view", "ana", namespace=own))

    assert (made.status, made.reason) == (404, "NotFound")
    assert made.document["details"]["name"] == own
    assert made.document["details"]["kind"] == "namespaces"


def test_a_namespace_that_is_being_deleted_takes_nothing_new(admin: KubeClient, own: str) -> None:
    create_namespace(admin, own)
    admin.delete(f"/api/v1/namespaces/{own}")

    made = eventually(lambda: admin.post(bindings_in(own), binding("b", "view", "ana", namespace=own)), 403)

    assert [cause["reason"] for cause in made.causes] == ["NamespaceTerminating"]
    assert admin.get(f"/api/v1/namespaces/{own}").document["status"]["phase"] == "Terminating"


def test_a_dry_run_creates_changes_and_deletes_nothing(admin: KubeClient, own: str) -> None:
    made = admin.post(CRBS, binding(own, "view", "ana"), dryRun="All")
    absent = admin.get(f"{CRBS}/{own}")
    admin.post(CRBS, binding(own, "view", "ana"))
    applied = admin.apply(f"{CRBS}/{own}", binding(own, "view", "bob"), force=True, dryRun="All")
    deleted = admin.delete(f"{CRBS}/{own}", dryRun="All")

    assert (made.status, absent.status, applied.status, deleted.status) == (201, 404, 200, 200)
    assert applied.document["subjects"][0]["name"] == "bob"
    assert subjects_of(admin, own) == ["ana"]


def test_a_delete_with_options_is_a_dry_run_only_if_they_say_so(admin: KubeClient, own: str) -> None:
    admin.post(CRBS, binding(own, "view", "ana"))

    dry = admin.delete(f"{CRBS}/{own}", {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]})
    after = admin.get(f"{CRBS}/{own}").status
    admin.delete(f"{CRBS}/{own}", {"kind": "DeleteOptions", "apiVersion": "v1"}, dryRun="All")

    assert (dry.status, after) == (200, 200)
    # The query is not looked at where there are options: who relies on it deletes.
    assert admin.get(f"{CRBS}/{own}").status == 404


def test_a_delete_of_another_object_or_version_is_a_conflict(admin: KubeClient, own: str) -> None:
    first = admin.post(CRBS, binding(own, "view", "ana"))
    admin.put(f"{CRBS}/{own}", binding(own, "view", "bob"))
    uid = first.document["metadata"]["uid"]

    stale = admin.delete(f"{CRBS}/{own}", options(uid, first.version))
    other = admin.delete(f"{CRBS}/{own}", options("11111111-1111-1111-1111-111111111111"))

    assert [(reply.status, reply.reason) for reply in (stale, other)] == [(409, "Conflict")] * 2
    assert subjects_of(admin, own) == ["bob"]


def test_a_delete_of_this_very_version_works_once(admin: KubeClient, own: str) -> None:
    made = admin.post(CRBS, binding(own, "view", "ana"))
    exactly = options(made.document["metadata"]["uid"], made.version)

    first = admin.delete(f"{CRBS}/{own}", exactly)
    second = admin.delete(f"{CRBS}/{own}", exactly)

    assert (first.status, first.document["kind"], first.document["status"]) == (200, "Status", "Success")
    assert (second.status, second.reason, second.document["details"]["name"]) == (404, "NotFound", own)


def test_a_finalizer_keeps_an_object_that_was_deleted(admin: KubeClient, own: str) -> None:
    document = binding(own, "view", "ana")
    document["metadata"]["finalizers"] = ["example.com/keep"]
    admin.post(CRBS, document)

    deleted = admin.delete(f"{CRBS}/{own}")
    kept = admin.get(f"{CRBS}/{own}")
    freed = admin.merge(f"{CRBS}/{own}", {"metadata": {"finalizers": None}})

    assert deleted.status == kept.status == freed.status == 200
    assert kept.document["metadata"]["deletionTimestamp"]
    assert admin.get(f"{CRBS}/{own}").status == 404


def test_an_object_over_one_and_a_half_mebibytes_is_a_500(admin: KubeClient, own: str) -> None:
    many = [f"user-{number:06d}-{'x' * 51}" for number in range(16_000)]

    made = admin.post(CRBS, binding(own, "view", *many))

    assert made.status == 500
    assert "request is too large" in made.document["message"]
    assert admin.get(f"{CRBS}/{own}").status == 404


def test_a_body_over_three_mebibytes_is_a_413(admin: KubeClient, own: str) -> None:
    document = binding(own, "view")
    document["metadata"]["annotations"] = {"big": "x" * (3 * 1024 * 1024 + 10)}

    made = admin.post(CRBS, document)

    assert made.status == 413


def test_a_full_shard_of_a_thousand_fits(admin: KubeClient, own: str) -> None:
    many = [f"oidc:user-{number:06d}@example.com" for number in range(1000)]

    made = admin.post(CRBS, binding(own, "view", *many))

    assert made.status == 201
    assert subjects_of(admin, own) == many


def test_the_fake_and_etcd_agree_on_how_large_is_too_large(admin: KubeClient, own: str) -> None:
    many = [f"user-{number:06d}-{'x' * 51}" for number in range(15_700)]

    fits = admin.post(CRBS, binding(f"fits-{own}", "view", *many[:15_100]))
    over = admin.post(CRBS, binding(f"over-{own}", "view", *many))

    assert (fits.status, over.status) == (201, 500)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Nothing", "name": "view"}}, "roleRef.kind"),
        ({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ""}}, "roleRef.name"),
        ({"subjects": [{"kind": "User", "name": ""}]}, "subjects[0].name"),
        ({"subjects": [{"kind": "Person", "name": "ana"}]}, "subjects[0].kind"),
    ],
)
def test_what_no_binding_can_be_is_invalid(admin: KubeClient, own: str, change: dict[str, Any], field: str) -> None:
    made = admin.post(CRBS, binding(own, "view", "ana") | change)

    assert (made.status, made.reason) == (422, "Invalid")
    assert field in [cause["field"] for cause in made.causes]


def test_no_json_is_a_bad_request(admin: KubeClient) -> None:
    made = admin.post(CRBS, b"{")

    assert (made.status, made.reason) == (400, "BadRequest")

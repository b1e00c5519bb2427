"""Keys, names, shards and rendered subjects."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.bindings import (
    INSTANCE_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    BindingKey,
    Family,
    Shard,
    SubjectKind,
    binding_name,
    our_key,
    parse_key,
    render_subject,
    shard_bits,
    shard_family,
    shard_of,
    template_fields,
)
from scim_bridge.domain.organizations import CaseRule, Cluster, ClusterId, OrganizationId
from scim_bridge.domain.people import Member, MemberId, MemberState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid

words = st.text("ab-", min_size=1, max_size=4)
families = st.builds(
    Family, st.one_of(st.none(), words), st.sampled_from(list(KubernetesRole)), st.sampled_from(list(SubjectKind))
)
keys = st.builds(
    BindingKey,
    words.map(OrganizationId),
    words.map(ClusterId),
    families,
    st.integers(0, 3).flatmap(lambda bits: st.builds(Shard, st.just(bits), st.integers(0, 2**bits - 1))),
)
LABELS = {MANAGED_BY_LABEL: MANAGED_BY, INSTANCE_LABEL: "inst"}
ANA = Member(MemberId("m1"), MemberState.ACTIVE, "Ana@Example.com", "ana@mail.example", "x-1")


def cluster(template: str, case: CaseRule = CaseRule.KEEP) -> Cluster:
    return Cluster(ClusterId("c"), None, "prod", template, case)


@given(st.lists(keys, unique=True, max_size=20))
def test_different_keys_have_different_names_that_kubernetes_takes(found: list[BindingKey]) -> None:
    names = [binding_name("inst", key) for key in found]

    assert len(set(names)) == len(found)
    assert all(len(name) <= 63 and re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name) for name in names)


@given(st.text(), st.text(), st.one_of(st.none(), st.text()))
def test_a_key_is_canonical_json_whatever_is_in_it(organization: str, cluster_id: str, namespace: str | None) -> None:
    family = Family(namespace, KubernetesRole.EDIT)
    key = BindingKey(OrganizationId(organization), ClusterId(cluster_id), family, Shard(2, 3))

    found = json.loads(key.canonical)

    assert found == {
        "cluster": cluster_id,
        "namespace": namespace,
        "organization": organization,
        "role": "edit",
        "shard": [2, 3],
        "subjects": "User",
    }
    assert key.canonical == json.dumps(found, separators=(",", ":"), sort_keys=True)


@given(keys)
def test_a_key_is_read_back_from_its_annotation(key: BindingKey) -> None:
    assert parse_key(key.canonical) == key
    assert our_key("inst", binding_name("inst", key), LABELS, key.canonical) == key


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"organization":"a"}', "not json"])
def test_another_annotation_is_not_a_key_of_ours(text: str) -> None:
    with pytest.raises(Invalid):
        parse_key(text)


def test_an_object_our_key_only_with_our_label_and_a_key_that_hashes_to_its_name() -> None:
    key = BindingKey(OrganizationId("o"), ClusterId("c"), Family(None, KubernetesRole.EDIT))
    name = binding_name("inst", key)

    assert our_key("inst", name, LABELS, key.canonical) == key
    assert our_key("other", name, LABELS, key.canonical) is None
    assert our_key("inst", name, {}, key.canonical) is None
    assert our_key("inst", name, LABELS, None) is None
    assert our_key("inst", "cluster-admin", LABELS, key.canonical) is None
    assert our_key("inst", name, LABELS, key.canonical.replace('"edit"', '"view"')) is None


@given(st.sets(st.text(min_size=1, max_size=8), max_size=60), st.integers(0, 4))
def test_shards_hold_every_subject_exactly_once_in_its_own_place(subjects: set[str], bits: int) -> None:
    family = Family(None, KubernetesRole.VIEW)

    made = shard_family(OrganizationId("o"), ClusterId("c"), family, subjects, bits)

    held = [(binding.key.shard.index, subject) for binding in made for subject in binding.subjects]
    assert sorted(subject for _, subject in held) == sorted(subjects)
    assert all(shard_of(subject, bits) == index for index, subject in held)
    assert all(list(binding.subjects) == sorted(binding.subjects) for binding in made)


@pytest.mark.parametrize(
    ("count", "current", "bits"),
    [(0, 0, 0), (1000, 0, 0), (1200, 0, 0), (1251, 0, 1), (2001, 1, 1), (2600, 1, 2), (20_000, 0, 5), (900, 1, 1)],
)
def test_a_family_is_split_by_size_and_not_by_one_person_who_comes_and_goes(
    count: int, current: int, bits: int
) -> None:
    assert shard_bits(count, 1000, current) == bits


def test_a_family_that_shrank_to_a_quarter_is_joined_again() -> None:
    assert shard_bits(400, 1000, 1) == 0


@pytest.mark.parametrize(
    ("template", "case", "subject"),
    [
        ("{user_name}", CaseRule.KEEP, "Ana@Example.com"),
        ("oidc:{user_name}", CaseRule.LOWER, "oidc:ana@example.com"),
        ("oidc:{email}", CaseRule.KEEP, "oidc:ana@mail.example"),
        ("https://idp#{external_id}", CaseRule.KEEP, "https://idp#x-1"),
    ],
)
def test_subjects_are_what_the_clusters_authenticator_would_say(template: str, case: CaseRule, subject: str) -> None:
    assert render_subject(cluster(template, case), ANA) == subject


@pytest.mark.parametrize("name", ["system:masters", "SYSTEM:admin", " ana", "ana\n", ""])
def test_reserved_blank_and_unprintable_subjects_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        render_subject(cluster("{user_name}"), Member(MemberId("m"), MemberState.ACTIVE, name))


def test_a_person_without_the_value_has_no_subject() -> None:
    with pytest.raises(Invalid, match="no value"):
        render_subject(cluster("oidc:{email}"), Member(MemberId("m"), MemberState.ACTIVE, "ana"))


@pytest.mark.parametrize("template", ["", "ana", "{name}", "{user_name", "{user_name.__class__}", "system:{user_name}"])
def test_a_template_must_name_a_field_and_make_no_reserved_name(template: str) -> None:
    with pytest.raises(Invalid) as caught:
        template_fields(template)

    assert caught.value.field == "user_template"


@pytest.mark.parametrize(
    "shard", ["[13,0]", "[0,1]", "[-1,0]", "[1000000000,0]", "[true,0]", "[1e999,0]", "[0]", '["0",0]', "{}"]
)
def test_an_annotation_that_somebody_made_up_is_refused_and_stops_nothing(shard: str) -> None:
    text = f'{{"cluster":"c","namespace":null,"organization":"o","role":"edit","shard":{shard},"subjects":"User"}}'

    with pytest.raises(Invalid):
        parse_key(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, "[]", "null", ""])
def test_an_annotation_as_large_as_kubernetes_takes_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_key(text)


def test_a_subject_that_is_longer_than_any_name_is_refused() -> None:
    long = Member(MemberId("m"), MemberState.ACTIVE, "x" * 1025)

    with pytest.raises(Invalid, match="1024"):
        render_subject(Cluster(ClusterId("c"), None, "c"), long)

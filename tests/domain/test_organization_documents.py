"""What it takes to get from one document to another: everything that differs, in an order that can be done."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.organization_documents import Document, Item, Operation, differences, plan_hash

EMPTY: Mapping[str, Item] = {}


def steps(have: Document, wanted: Document, managed: Document | None = None) -> list[str]:
    return [f"{each.operation} {each.section} {each.key}" for each in differences(have, wanted, managed)]


def test_what_is_missing_comes_and_what_differs_changes() -> None:
    have = Document({"units": {"a": {"environment": None}, "b": {"environment": None}}})
    wanted = Document({"units": {"a": {"environment": "demo"}, "c": {"environment": None}}})

    assert steps(have, wanted) == ["change units a", "add units c"]


def test_parents_come_first_and_go_last() -> None:
    places: Mapping[str, Item] = {"a/b": {}, "a": {}, "a/b/c": {}}

    assert steps(Document(), Document({"units": places})) == ["add units a", "add units a/b", "add units a/b/c"]
    assert steps(Document({"units": places}), Document({"units": {}}, frozenset({"units"}))) == [
        "remove units a/b/c",
        "remove units a/b",
        "remove units a",
    ]


def test_places_come_before_what_is_granted_there_and_go_after_it() -> None:
    full = Document({"units": {"a": {}}, "grants": {"g": {}}, "rules": {"r": {}}})
    none = Document({"units": {}, "grants": {}, "rules": {}}, frozenset({"units", "grants", "rules"}))

    assert steps(Document(), full) == ["add units a", "add grants g", "add rules r"]
    assert steps(full, none) == ["remove rules r", "remove grants g", "remove units a"]


def test_only_what_an_earlier_document_brought_goes() -> None:
    have = Document({"units": {"mine": {}, "by-hand": {}}})
    before = Document({"units": {"mine": {}, "gone-already": {}}})

    assert steps(have, Document({"units": {}}), before) == ["remove units mine"]
    assert steps(have, Document({"units": {}})) == []


def test_what_a_document_is_silent_about_stays() -> None:
    have = Document({"units": {"mine": {}}, "grants": {"g": {}}})

    assert steps(have, Document({"units": {"mine": {}}}), have) == []


def test_a_pruned_section_holds_nothing_else() -> None:
    have = Document({"units": {"mine": {}, "by-hand": {}}})

    assert steps(have, Document({"units": {"mine": {}}}, frozenset({"units"}))) == ["remove units by-hand"]


def test_what_a_rule_no_longer_says_is_a_difference_and_a_cluster_may_leave_things_unsaid() -> None:
    have = Document({"rules": {"r": {"scope": "organization", "priority": 5}}, "clusters": {"c": {"server": "x"}}})
    wanted = Document({"rules": {"r": {"scope": "organization"}}, "clusters": {"c": {}}})

    (change,) = differences(have, wanted)

    assert (change.operation, change.old, change.new) == (Operation.CHANGE, {"priority": 5}, {"priority": None})
    assert change.whole == {"scope": "organization"}


def test_a_change_tells_only_what_differs() -> None:
    have = Document({"projects": {"shop": {"unit": "a", "namespaces": ["x"]}}})
    wanted = Document({"projects": {"shop": {"unit": "b", "namespaces": ["x"]}}})

    (change,) = differences(have, wanted)

    assert (change.old, change.new) == ({"unit": "a"}, {"unit": "b"})


ITEMS = st.dictionaries(st.sampled_from(["a", "a/b", "c"]), st.fixed_dictionaries({"x": st.integers(0, 2)}), max_size=3)
DOCUMENTS = st.builds(
    Document, st.dictionaries(st.sampled_from(["units", "groups", "grants"]), ITEMS, max_size=3), st.just(frozenset())
)


@given(DOCUMENTS, DOCUMENTS)
def test_doing_what_is_said_leaves_nothing_to_do(have: Document, wanted: Document) -> None:
    pruned = Document(wanted.sections, frozenset(wanted.sections))
    state = {section: dict(items) for section, items in have.sections.items()}

    for each in differences(have, pruned):
        items = state.setdefault(each.section, {})
        if each.operation is Operation.REMOVE:
            del items[each.key]
        else:
            assert each.new is not None
            items[each.key] = {**items.get(each.key, {}), **each.new}

    assert differences(Document(state), pruned) == ()


@given(DOCUMENTS, DOCUMENTS)
def test_equal_plans_have_equal_hashes_and_others_do_not(have: Document, wanted: Document) -> None:
    there, back = differences(have, wanted), differences(wanted, have)

    assert plan_hash(there) == plan_hash(differences(have, wanted))
    assert (plan_hash(there) == plan_hash(back)) == (there == back)

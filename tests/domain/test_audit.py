"""The chain shows what was changed, taken out or put in, and needs no personal value to do so."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.audit import GENESIS, Break, Link, canonical_json, first_break, salted_digest, seal

facts = st.dictionaries(st.sampled_from(["id", "action", "digest", "at"]), st.one_of(st.none(), st.text(max_size=8)))


def chain(entries: list[dict[str, str | None]]) -> list[Link]:
    links: list[Link] = []
    for entry in entries:
        links.append(seal(links[-1] if links else None, entry))
    return links


def three() -> list[Link]:
    return chain([{"action": "create"}, {"action": "change"}, {"action": "delete"}])


@given(st.lists(facts, max_size=6))
def test_a_chain_as_it_was_sealed_holds_in_whole_and_in_parts(entries: list[dict[str, str | None]]) -> None:
    links = chain(entries)

    assert first_break(links) is None
    for place, link in enumerate(links):
        assert first_break(links[place + 1 :], link) is None


def test_a_chain_starts_at_one_and_follows_nothing() -> None:
    first = three()[0]

    assert (first.sequence, first.previous_hash) == (1, GENESIS)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_changed_entry_is_named(place: int) -> None:
    links = three()
    links[place] = replace(links[place], facts={"action": "nothing happened"})

    found = first_break(links)

    assert found == Break(place + 1, f"entry {place + 1} was changed after it was sealed")


@pytest.mark.parametrize("place", [0, 1])
def test_an_entry_that_was_taken_out_is_missed(place: int) -> None:
    links = three()
    del links[place]

    assert first_break(links) == Break(place + 1, f"entry {place + 1} is missing")


def test_an_entry_that_was_changed_and_sealed_anew_does_not_fit_the_next() -> None:
    links = three()
    links[1] = seal(links[0], {"action": "forged"})

    assert first_break(links) == Break(3, "entry 3 does not follow the entry before it")


def test_two_chains_do_not_mix() -> None:
    other = chain([{"action": "other"}, {"action": "change"}])

    assert first_break([three()[0], other[1]]) == Break(2, "entry 2 does not follow the entry before it")


@given(st.dictionaries(st.text(max_size=4), st.integers()))
def test_the_canonical_form_does_not_depend_on_the_order_of_keys(value: dict[str, int]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_a_salt_hides_equal_values_from_one_another() -> None:
    assert salted_digest("a" * 32, "ana@example.com") != salted_digest("b" * 32, "ana@example.com")
    assert salted_digest("a" * 32, "ana@example.com") == salted_digest("a" * 32, "ana@example.com")

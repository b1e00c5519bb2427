"""What somebody is found by."""

import pytest

from scim_bridge.domain.searching import LONGEST_WORD, MOST_TERMS, search_terms, words_of


def test_a_person_is_found_by_each_word_of_each_name_and_by_a_whole_address() -> None:
    words = words_of(("ana.silva@example.com", "ana.silva@example.com", "Ana Maria SILVA"))

    assert words == ("ana.silva@example.com", "ana", "silva", "example", "com", "maria")


@pytest.mark.parametrize(
    ("name", "sought"), [("ÉLODIE", "élodie"), ("Straße", "STRASSE"), ("e\N{COMBINING ACUTE ACCENT}lan", "élan")]
)
def test_letter_case_and_the_encoding_of_accents_do_not_count(name: str, sought: str) -> None:
    assert search_terms(sought)[0] in words_of([name])


def test_a_person_without_names_has_no_words() -> None:
    assert words_of((None, "", "  ", "\x00")) == ()


def test_a_name_of_any_length_has_a_few_short_words() -> None:
    words = words_of([" ".join(f"{number:0200d}" for number in range(500))])

    assert len(words) <= 24
    assert {len(word) for word in words} == {LONGEST_WORD}


def test_the_longest_term_comes_first_because_it_leaves_the_fewest_people() -> None:
    assert search_terms(" a  silva  an ") == ("silva", "an", "a")


def test_a_search_has_only_so_many_terms() -> None:
    assert len(search_terms(" ".join(map(str, range(100))))) == MOST_TERMS
    assert search_terms(" \t") == ()

"""The words that people are found by, kept beside their names."""

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.searching import AFTER_EVERY_LETTER, words_of
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import member, member_word
from scim_bridge.store.statements import write_later

_EACH = listed("words").subquery("each")
# One statement, however many words there are.
_INSERT = sa.insert(member_word).from_select(
    ["organization_id", "word", "member_id"],
    sa.select(
        sa.bindparam("organization", type_=sa.Text), _EACH.c.value, sa.bindparam("member", type_=sa.Text)
    ).select_from(_EACH),
)
_OF_MEMBER = sa.select(member.c.organization_id, member_word.c.word).outerjoin(
    member_word, member_word.c.member_id == member.c.id
)
_WORDS = _OF_MEMBER.where(member.c.id == sa.bindparam("member"))
_DELETE = sa.delete(member_word).where(member_word.c.member_id == sa.bindparam("member"))


def add_words(
    connection: sa.Connection, organization_id: OrganizationId, member_id: MemberId, names: Iterable[str | None]
) -> None:
    """Let a new member be found by these names."""
    _insert(connection, organization_id, member_id, words_of(names))


def replace_words(connection: sa.Connection, member_id: MemberId, names: Iterable[str | None]) -> None:
    """Let a member be found by these names, and no longer by those of before."""
    known = connection.execute(_WORDS, {"member": member_id}).all()
    wanted = words_of(names)
    if {word for _, word in known if word is not None} == set(wanted):
        return
    connection.execute(_DELETE, {"member": member_id})
    _insert(connection, known[0][0], member_id, wanted)


def _insert(
    connection: sa.Connection, organization_id: OrganizationId, member_id: MemberId, words: Collection[str]
) -> None:
    if words:
        values = {"organization": organization_id, "member": member_id, "words": as_list(words)}
        write_later(connection, _INSERT, values)


def begins_with(term: str) -> sa.ColumnElement[bool]:
    """Return the condition on a word that begins like this: a range of the index."""
    return sa.and_(member_word.c.word >= term, member_word.c.word < term + AFTER_EVERY_LETTER)

"""What Okta demands: apps of its integration network, and apps of the wizard, which PUT everything."""

from collections.abc import Mapping, Sequence

from scim_bridge.simulator.conversations import Conversation, Talk, entries, require
from scim_bridge.simulator.wire import Dialect

BOTH: tuple[Dialect, ...] = ("okta", "okta-aiw")
NETWORK: tuple[Dialect, ...] = ("okta",)
WIZARD: tuple[Dialect, ...] = ("okta-aiw",)


def _connection_test(talk: Talk) -> None:
    talk.listed("test-connection-users", {})
    talk.listed("test-connection-groups", {})


def _nobody(talk: Talk) -> None:
    require(talk.listed("user-lookup", talk.person()) == [], "a search for nobody found somebody")


def _create(talk: Talk) -> None:
    person = talk.hire()
    answer = talk.user(person)
    require(answer.get("userName") == person["user_name"], "the userName came back changed")
    require(answer.get("externalId") == person["external_id"], "the externalId did not come back")
    require("password" not in answer, "the password is answered")


def _other_case(talk: Talk) -> None:
    person = talk.hire()
    found = talk.listed("user-lookup", {"user_name": person["user_name"].upper()})
    require([each.get("id") for each in found] == [person["id"]], "a userName in capitals did not find its person")


def _duplicate(talk: Talk) -> None:
    talk.refused(409, "user-create", talk.hire())


def _profile(talk: Talk) -> None:
    person = talk.hire()
    answer = talk.send("user-replace", person | {"title": "Head of Everything"}).body
    require(answer.get("id") == person["id"], "an update was answered without the person's id")
    require(talk.user(person).get("title") == "Head of Everything", "a new title was not stored")


def _password(talk: Talk) -> None:
    person = talk.hire()
    answer = talk.send("user-password", person)
    require("password" not in answer.body, "the password is answered")
    require("password" not in talk.user(person), "the password can be read")


def _leave(talk: Talk) -> None:
    person = talk.hire()
    group = talk.group(person)
    talk.send("user-deactivate", person)
    require(talk.user(person).get("active") is False, "a deactivated person is not readable as inactive")
    found = talk.listed("user-lookup", person)
    require([each.get("active") for each in found] == [False], "a deactivated person cannot be found any more")
    require(person["id"] in talk.members(group), "a deactivated person lost the groups")


def _return(talk: Talk) -> None:
    person = talk.hire()
    group = talk.group(person)
    talk.send("user-deactivate", person)
    talk.send("user-activate", person)
    require(talk.user(person).get("active") is True, "a reactivated person is not active")
    require(person["id"] in talk.members(group), "a reactivated person lost the groups")


def _rename_group(talk: Talk) -> None:
    group = talk.group()
    renamed = f"{group['group_name']}, renamed"
    talk.send("group-rename", group | {"group_name": renamed})
    found = [each.get("id") for each in talk.listed("group-lookup", {"group_name": renamed})]
    require(found == [group["id"]], "a renamed group is not found by its new name")


def _members(talk: Talk) -> None:
    ada, bob, eve = talk.hire(), talk.hire(), talk.hire()
    group = talk.group(ada, bob)
    talk.send("group-members-change", group | {"added": entries([eve]), "removed": entries([ada])})
    _require_members(talk, group, [bob, eve])
    talk.send("group-members-remove", group | {"removed": entries([bob])})
    _require_members(talk, group, [eve])
    require(talk.groups_of(eve) == {group["id"]}, "the person does not show the group")


def _push_now(talk: Talk) -> None:
    ada, bob = talk.hire(), talk.hire()
    group = talk.group(ada)
    talk.send("group-members-replace", group | {"members": entries([bob])})
    _require_members(talk, group, [bob])
    talk.send("group-members-clear", group)
    _require_members(talk, group, [])


def _stale_member(talk: Talk) -> None:
    ada = talk.hire()
    group = talk.group()
    gone = {"id": "00000000-0000-7000-8000-000000000000", "user_name": "gone"}
    talk.send("group-members-add", group | {"added": entries([gone, ada])})
    require(ada["id"] in talk.members(group), "one unknown member lost the whole push")


def _whole_group(talk: Talk) -> None:
    ada, bob = talk.hire(), talk.hire()
    group = talk.group(ada)
    talk.send("group-replace", group | {"group_name": f"{group['group_name']} again", "members": entries([ada, bob])})
    _require_members(talk, group, [ada, bob])
    talk.send("group-replace", group | {"members": entries([bob])})
    _require_members(talk, group, [bob])


def _delete_group(talk: Talk) -> None:
    group = talk.group(talk.hire())
    talk.send("group-delete", group)
    talk.refused(404, "group-get", group)


def _import(talk: Talk) -> None:
    talk.hire()
    found: list[str] = []
    while page := talk.listed("users-import", {"start_index": len(found) + 1}):
        found += [str(each.get("id")) for each in page]
    require(len(found) == len(set(found)) > 0, "an import page by page lists somebody twice, or nobody")


def _require_members(talk: Talk, group: Mapping[str, str], expected: Sequence[Mapping[str, str]]) -> None:
    there, wanted = talk.members(group), {each["id"] for each in expected}
    require(there == wanted, f"the group has {len(there)} members where {len(wanted)} belong, or others")


OKTA_CONVERSATIONS: tuple[Conversation, ...] = (
    Conversation("the connection test", ("1.5", "1.28"), _connection_test, BOTH),
    Conversation("a search for nobody is an empty list", ("1.1", "1.2"), _nobody, BOTH),
    Conversation("a person is created", ("1.6", "1.8", "1.41"), _create, BOTH),
    Conversation("a userName is found in any case", ("1.1", "1.3"), _other_case, BOTH),
    Conversation("a person who exists is a conflict", ("1.7",), _duplicate, BOTH),
    Conversation("a profile is replaced", ("1.9", "1.10", "1.40", "1.42"), _profile, BOTH),
    Conversation("a password is taken and never shown", ("1.41",), _password, BOTH),
    Conversation("a leaver is inactive, found, and still in the groups", ("1.12", "1.17", "1.19"), _leave, BOTH),
    Conversation("who returns has the groups of before", ("1.10", "1.19"), _return, BOTH),
    Conversation("a group is renamed without a path", ("1.20", "1.26"), _rename_group, NETWORK),
    Conversation("members come and go by one request", ("1.23", "1.24", "2.5"), _members, NETWORK),
    Conversation("push now sends a whole group, an empty one too", ("1.25",), _push_now, NETWORK),
    Conversation("one unknown member does not lose a push", ("2.5",), _stale_member, BOTH),
    Conversation("a whole group is replaced", ("1.9", "2.5"), _whole_group, WIZARD),
    Conversation("a group is deleted", ("2.5",), _delete_group, BOTH),
    Conversation("an import reads everybody once", ("1.28",), _import, BOTH),
)

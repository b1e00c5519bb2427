"""What Entra ID demands, in its legacy dialect and with the flag behind the tenant URL."""

from scim_bridge.simulator.conversations import Conversation, Talk, entries, require
from scim_bridge.simulator.entra import NOBODY
from scim_bridge.simulator.wire import Dialect

BOTH: tuple[Dialect, ...] = ("entra", "entra-flag")
LEGACY: tuple[Dialect, ...] = ("entra",)
FLAG: tuple[Dialect, ...] = ("entra-flag",)
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def _connection_test(talk: Talk) -> None:
    for name in ("test-connection", "test-connection-groups"):
        require(talk.listed(name, {"random_id": NOBODY}) == [], "a search for a random GUID found something")


def _create(talk: Talk) -> None:
    person = talk.hire()
    answer = talk.user(person)
    require(answer.get("userName") == person["user_name"], "the userName came back changed")
    require(answer.get(ENTERPRISE, {}).get("department") == person["department"], "the department did not come back")
    phones = [each.get("value") for each in answer.get("phoneNumbers") or ()]
    require(phones == [person["phone"]], "a telephone number came back in another form")


def _matching(talk: Talk) -> None:
    person = talk.hire()
    shouted = {"user_name": person["user_name"].upper()}
    for name, values in (
        ("user-lookup", shouted),
        ("user-lookup-external-id", person),
        ("user-lookup-email", person),
    ):
        found = [each.get("id") for each in talk.listed(name, values)]
        require(found == [person["id"]], f"{name} found {len(found)} people, or the wrong one")


def _duplicate(talk: Talk) -> None:
    person = talk.hire()
    talk.refused(409, "user-create", person | {"user_name": person["user_name"].upper()})


def _shared_values(talk: Talk) -> None:
    person = talk.hire()
    other = talk.person() | {"external_id": person["external_id"], "email": person["email"]}
    talk.created("user-create-two-work-emails", other | {"other_email": f"other.{person['email']}"})


def _update(talk: Talk) -> None:
    person = talk.hire()
    talk.send("user-update", person | {"title": "Head of Everything", "department": "Anywhere"})
    answer = talk.user(person)
    require(answer.get("title") == "Head of Everything", "a new title was not stored")
    require(answer.get(ENTERPRISE, {}).get("department") == "Anywhere", "a new department was not stored")


def _new_entry(talk: Talk) -> None:
    person = talk.hire()
    talk.send("user-address", person | {"postal_code": "10115", "country": "DE"})
    found = [each for each in talk.user(person).get("addresses") or () if each.get("type") == "work"]
    require(
        [each.get("postalCode") for each in found] == ["10115"], "a filter that matches nothing did not make the entry"
    )


def _rename(talk: Talk) -> None:
    person, other = talk.hire(), talk.hire()
    renamed = person | {"user_name": f"new.{person['user_name']}", "email": f"new.{person['email']}"}
    talk.send("user-rename", renamed)
    require(talk.user(person).get("userName") == renamed["user_name"], "a new userName was not stored")
    talk.refused(409, "user-rename", renamed | {"user_name": other["user_name"]})


def _leave(talk: Talk) -> None:
    person = talk.hire()
    group = talk.group(person)
    talk.send("user-disable", person)
    require(talk.user(person).get("active") is False, "a disabled person is not readable as inactive")
    require(group["id"] in talk.groups_of(person), "a disabled person lost the groups")
    talk.send("user-enable", person)
    require(talk.user(person).get("active") is True, "an enabled person is not active")
    require(group["id"] in talk.groups_of(person), "an enabled person lost the groups")


def _other_booleans(talk: Talk) -> None:
    for name in ("user-disable-boolean", "user-disable-lower-case"):
        person = talk.hire()
        talk.send(name, person)
        require(talk.user(person).get("active") is False, f"{name} left the person active")


def _leave_without_a_path(talk: Talk) -> None:
    person = talk.hire()
    talk.send("user-disable-without-path", person)
    require(talk.user(person).get("active") is False, "a leaver without a path stays active")


def _manager(talk: Talk) -> None:
    person, manager = talk.hire(), talk.hire()
    values = person | {"manager_id": manager["id"]}
    talk.send("user-manager-add", values)
    found = talk.listed("user-manager-probe", values)
    require([each.get("id") for each in found] == [person["id"]], "a manager sent as a text is not found")
    talk.send("user-manager-empty", values)
    require(talk.listed("user-manager-probe", values) == [], "an empty manager did not end it")


def _roles(talk: Talk) -> None:
    person = talk.hire()
    for names in (("Viewer", "Admin"), ("Developer",)):
        roles = [{"role_id": NOBODY, "role": name} for name in names]
        talk.send("user-roles-replace", person | {"roles": roles})
        found = {each.get("value") for each in talk.user(person).get("roles") or ()}
        require(found == set(names), "a list of roles did not replace the one before")


def _group(talk: Talk) -> None:
    group = talk.group(talk.hire())
    found = talk.listed("group-lookup", group)
    require([each.get("id") for each in found] == [group["id"]], "a group is not found by its name")
    require("members" not in found[0], "a list shows members that were excluded")
    require("members" not in talk.send("group-get", group).body, "a group shows members that were excluded")
    renamed = group | {"group_name": f"{group['group_name']}, renamed"}
    talk.send("group-rename", renamed)
    require(talk.listed("group-lookup", renamed) != [], "a renamed group is not found by its new name")


def _members(talk: Talk) -> None:
    ada, bob, eve = talk.hire(), talk.hire(), talk.hire()
    group = talk.group(ada, bob, eve)
    talk.send("group-members-remove", group | {"removed": entries([ada])})
    _require_inside(talk, group["id"], {ada["id"]: False, bob["id"]: True, eve["id"]: True})
    talk.send("group-members-change", group | {"removed": entries([bob]), "added": entries([ada])})
    _require_inside(talk, group["id"], {ada["id"]: True, bob["id"]: False, eve["id"]: True})


def _purge(talk: Talk) -> None:
    person = talk.hire()
    talk.send("user-disable", person)
    answer = talk.send("user-delete", person)
    require(answer.status == 204, f"a delete was answered {answer.status}, not 204")
    talk.refused(404, "user-get", person)


def _delete_group(talk: Talk) -> None:
    group = talk.group()
    talk.send("group-delete", group)
    talk.refused(404, "group-get", group)


def _schemas(talk: Talk) -> None:
    found = {each.get("id") for each in talk.listed("schemas", {})}
    require(ENTERPRISE in found, "the enterprise extension is not among the schemas")


def _require_inside(talk: Talk, group_id: str, expected: dict[str, bool]) -> None:
    # Entra never reads a member list: it asks whether somebody is in it.
    for user_id, inside in expected.items():
        found = talk.listed("group-member-probe", {"id": group_id, "user_id": user_id})
        require(
            bool(found) is inside, "somebody is missing from the group" if inside else "somebody stayed in the group"
        )


ENTRA_CONVERSATIONS: tuple[Conversation, ...] = (
    Conversation("the connection test", ("1.2", "1.5"), _connection_test, BOTH),
    Conversation("a person is created, and kept as sent", ("1.6", "1.40", "2.4"), _create, BOTH),
    Conversation("a person is found by each matching attribute", ("1.1", "1.3", "1.4"), _matching, BOTH),
    Conversation("a person who exists is a conflict", ("1.3", "1.7"), _duplicate, BOTH),
    Conversation("externalId and e-mail may be shared", ("2.4",), _shared_values, BOTH),
    Conversation("attributes are changed", ("1.11", "1.13", "1.15", "2.1"), _update, BOTH),
    Conversation("a filter that matches nothing makes the entry", ("1.16",), _new_entry, BOTH),
    Conversation("a userName changes, and not to another's", ("2.4",), _rename, BOTH),
    Conversation("a leaver keeps the groups, and returns to them", ("1.14", "1.17", "1.19"), _leave, BOTH),
    Conversation("false is understood in every form", ("1.14",), _other_booleans, LEGACY),
    Conversation("a leaver without a path", ("1.12", "2.1"), _leave_without_a_path, FLAG),
    Conversation("a manager is a text, and goes by an empty one", ("2.3",), _manager, BOTH),
    Conversation("a list of app roles replaces the one before", ("2.2",), _roles, BOTH),
    Conversation("groups are found without their members", ("1.20", "1.21", "1.22"), _group, BOTH),
    Conversation("who is taken out leaves the others in", ("1.23", "1.24", "2.1"), _members, BOTH),
    Conversation("a purged person is gone", ("1.18",), _purge, BOTH),
    Conversation("a group is deleted", ("2.4",), _delete_group, BOTH),
    Conversation("the schemas can be read", ("1.37",), _schemas, LEGACY),
)

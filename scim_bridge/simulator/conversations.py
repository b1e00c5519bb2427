"""
What an identity provider demands, one conversation after the other, each judged by the server's own answers.

Unlike a life (`play`), which goes on as an identity provider would, a conversation says what has to be true after it.
All of them run with people of a company that exists nowhere, so that an address of theirs belongs to nobody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scim_bridge.errors import RequestFailed, SimulatorError
from scim_bridge.simulator.client import Answer, Client
from scim_bridge.simulator.company import Company, Person
from scim_bridge.simulator.wire import Dialect, Values, render

CONTENT_TYPE = "application/scim+json"
ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"
LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
# Of our tokens' form, and nobody's: what a mistyped one looks like.
NO_TOKEN = "scimb_doctor22_this-token-was-never-given-out"

Valued = Callable[[Person], Mapping[str, str]]


class Unmet(SimulatorError):
    """A demand of the identity provider is not met; the message says what came instead."""


@dataclass(frozen=True)
class Finding:
    """How one conversation went; ``rows`` are those of idp-behaviour that it is about."""

    conversation: str
    dialect: Dialect
    rows: tuple[str, ...]
    passed: bool
    detail: str = ""

    def as_document(self) -> dict[str, Any]:
        """Return the finding in a form that JSON can hold."""
        return asdict(self) | {"rows": list(self.rows)}


class Talk:
    """One identity provider at one server; what it sends are the wire files of its dialect."""

    def __init__(self, client: Client, dialect: Dialect, company: Company, values_of: Valued) -> None:
        self.client = client
        self.dialect = dialect
        self._company = company
        self._values_of = values_of
        self.strange_types: dict[str, str] = {}

    def send(self, name: str, values: Values | None = None) -> Answer:
        """Send a wire file; raises RequestFailed when it is refused."""
        answer = self.client.send(render(self.dialect, name, values))
        if answer.status != 204 and answer.content_type.partition(";")[0] != CONTENT_TYPE:
            self.strange_types[name] = answer.content_type
        return answer

    def person(self) -> dict[str, str]:
        """Think somebody up whom the server does not know yet, as values for wire files."""
        return dict(self._values_of(self._company.newcomer()))

    def hire(self) -> dict[str, str]:
        """Create somebody and return their values, ``id`` among them."""
        values = self.person()
        return values | {"id": self.created("user-create", values)}

    def group(self, *people: Mapping[str, str]) -> dict[str, str]:
        """Create a group with these people in it and return its values, ``id`` among them."""
        values = {"group_name": f"group of {self.person()['user_name']}", "external_id": self.person()["external_id"]}
        values |= {"id": self.created("group-create", values)}
        if people:
            self.send("group-members-add", values | {"added": entries(people)})
        return values

    def created(self, name: str, values: Values) -> str:
        """Create something; raises Unmet unless the answer is 201 and has an id (row 1.6)."""
        answer = self.send(name, values)
        require(answer.status == 201, f"a create was answered {answer.status}, not 201")
        require(isinstance(answer.body.get("id"), str) and answer.body["id"], "the answer to a create has no id")
        return str(answer.body["id"])

    def refused(self, status: int, name: str, values: Values | None = None) -> None:
        """Send what has to be refused, with this status and a SCIM error; raises Unmet when it is not."""
        try:
            self.send(name, values)
        except RequestFailed as error:
            require(error.status == status, f"{error.method} was refused with {error.status}, not {status}")
            require(bool(error.detail), "the refusal says no reason")
        else:
            raise Unmet(f"{name} was accepted; it has to be refused with {status}.")

    def listed(self, name: str, values: Values) -> list[dict[str, Any]]:
        """Search; raises Unmet unless the answer is a ListResponse whose numbers fit (rows 1.2, 1.28)."""
        body = self.send(name, values).body
        require(LIST_URN in body.get("schemas", ()), "the answer to a search is no ListResponse")
        require(isinstance(body.get("totalResults"), int), "totalResults is no whole number")
        found: list[dict[str, Any]] = body.get("Resources") or []
        require(body["totalResults"] >= len(found), "totalResults is smaller than what is listed")
        return found

    def user(self, person: Mapping[str, str]) -> dict[str, Any]:
        """Read somebody."""
        return self.send("user-get", person).body

    def members(self, group: Mapping[str, str]) -> set[str]:
        """Read who is in a group."""
        body = self.send("group-get", group).body
        return {str(each.get("value")) for each in body.get("members") or ()}

    def groups_of(self, person: Mapping[str, str]) -> set[str]:
        """Read which groups somebody is in, as their own resource says it."""
        return {str(each.get("value")) for each in self.user(person).get("groups") or ()}


@dataclass(frozen=True)
class Conversation:
    """A demand and how to see whether it is met; ``dialects`` are those that make it."""

    name: str
    rows: tuple[str, ...]
    hold: Callable[[Talk], None]
    dialects: tuple[Dialect, ...]


def require(met: object, otherwise: str) -> None:
    """Raise Unmet with a sentence unless something is true."""
    if not met:
        raise Unmet(f"{otherwise}.")


def entries(people: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return people as members are named in wire files."""
    return [{"value": each["id"], "display": each.get("user_name", "")} for each in people]


def hold_all(talk: Talk, conversations: Sequence[Conversation]) -> list[Finding]:
    """Hold every conversation of the talk's dialect; one that fails does not keep the next from being held."""
    findings = [_held(talk, each) for each in conversations if talk.dialect in each.dialects]
    wrong = ", ".join(f"{name}: {kind or 'none'}" for name, kind in talk.strange_types.items())
    told = f"Answers that are not {CONTENT_TYPE}: {wrong}." if wrong else ""
    return [*findings, Finding("every answer is SCIM", talk.dialect, ("1.36",), not wrong, told)]


def hold_stranger(client: Client, dialect: Dialect) -> Finding:
    """See that a token that nobody gave out is refused as a SCIM error (row 1.32)."""
    stranger = Client(client.base_url, NO_TOKEN, tries=1)
    name, rows = "a wrong token is refused, and says so", ("1.32", "1.33")
    try:
        stranger.send(render(dialect, "user-lookup", {"user_name": "nobody"}))
    except RequestFailed as error:
        says = error.document
        fits = error.status == 401 and ERROR_URN in says.get("schemas", ()) and says.get("detail")
        told = "" if fits else f"It was answered {error.status}: {error.detail}."
        return Finding(name, dialect, rows, bool(fits), told)
    finally:
        stranger.close()
    return Finding(name, dialect, rows, passed=False, detail="It was let in.")


def _held(talk: Talk, conversation: Conversation) -> Finding:
    try:
        conversation.hold(talk)
    except SimulatorError as error:
        return Finding(conversation.name, talk.dialect, conversation.rows, passed=False, detail=str(error))
    return Finding(conversation.name, talk.dialect, conversation.rows, passed=True)

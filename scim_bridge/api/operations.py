"""
What one route is: its address, whom it lets in, what it takes and what it answers, declared in one place.

A view is a function of the `Call`; the declaration above it is what the OpenAPI document, the permission tests and the
door itself go by.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from scim_bridge.domain.actors import Actor
from scim_bridge.identity.runtime import Database, Runtime
from scim_bridge.web.paging import Page

Given = TypeVar("Given")
View = Callable[..., Any]


class Fields(BaseModel):
    """What a body or a query holds; a field that is not known is a typing error and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Fields):
    """The query of a list."""

    limit: int = Field(default=100, ge=1, le=1000, description="How many at most.")
    cursor: str | None = Field(default=None, max_length=4096, description="Where the page before ended.")


class Entrance(StrEnum):
    """Whom a route lets in."""

    EVERYBODY = "everybody"
    """No credential is asked for."""
    SIGNED_IN = "signed in"
    """Any token that is good; the use case shows its holder only what is theirs."""
    MEMBER = "member"
    """An active member of the organization in the path; with a permission, who holds it at the organization."""
    SOMEWHERE = "somewhere"
    """Who holds the permission at some place of the organization; the use case asks about the very place."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route."""

    method: str
    path: str
    view: View
    permission: str | None
    entrance: Entrance
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answers: Any
    status: HTTPStatus
    tag: str
    contents: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the operation's name in the OpenAPI document."""
        return f"{self.tag}.{self.view.__name__.rstrip('_')}"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in: who asks, in which organization (its id, "" where the path has none), for what."""

    runtime: Runtime
    actor: Actor
    request_id: str
    organization: str = ""
    body: Any = None
    query: Any = None
    path: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """Return the database."""
        return self.runtime.database

    def given(self, model: type[Given]) -> Given:
        """Return the body as the model that the operation declares."""
        assert isinstance(self.body, model)
        return self.body

    def asked(self, model: type[Given]) -> Given:
        """Return the query as the model that the operation declares."""
        assert isinstance(self.query, model)
        return self.query

    def page(self, items: Any, key: Callable[[Any], tuple[str, ...]], keys: int = 1) -> Page[Any]:
        """Return the page that the query asks for, of a list that is at hand whole."""
        from scim_bridge.web.paging import cut

        asked = self.asked(Paged)
        return cut(items, key, limit=asked.limit, cursor=asked.cursor, keys=keys)


OPERATIONS: list[Operation] = []
"""Every route of the door, in the order in which the rooms declare them."""

IN_ORGANIZATION = "/organizations/<organization>"


def operation(
    method: str,
    path: str,
    *,
    tag: str,
    permission: str | None = None,
    entrance: Entrance = Entrance.MEMBER,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    answers: Any = None,
    status: HTTPStatus = HTTPStatus.OK,
    contents: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """
    Declare a route; a path that begins with ``/`` alone is below the organization's own.

    ``answers`` is the dataclass (or model) of the document, None for 204. ``contents`` are the types of an answer that
    is no JSON document; the view then returns the response itself.
    """
    inside = entrance in (Entrance.MEMBER, Entrance.SOMEWHERE)

    def declare(view: View) -> View:
        OPERATIONS.append(
            Operation(
                method,
                IN_ORGANIZATION + path if inside else path,
                view,
                permission,
                entrance,
                body,
                query,
                answers,
                HTTPStatus.NO_CONTENT if answers is None else status,
                tag,
                contents,
            )
        )
        return view

    return declare

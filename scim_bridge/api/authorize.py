"""May somebody do something? One question or many, answered with reasons."""

from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, operation
from scim_bridge.identity import authorize
from scim_bridge.identity.authorize import Check, Decision

TAG = "access"
MOST_CHECKS = 1000


class Question(Fields):
    """One question, whether somebody may do something at a scope."""

    person: str = Field(min_length=1, max_length=1024, description="A member's id, userName or e-mail address.")
    permission: str = Field(min_length=1, max_length=120)
    scope: str = Field(default="organization", max_length=1024)

    @property
    def check(self) -> Check:
        """Return what the use case takes."""
        return Check(self.person, self.permission, self.scope)


class AuthorizeRequest(Question):
    """One question about one organization."""

    organization: str = Field(min_length=1, max_length=63, description="Its slug or id.")


class Questions(Fields):
    """Many questions about one organization."""

    checks: tuple[Question, ...] = Field(min_length=1, max_length=MOST_CHECKS)


@operation("POST", "/authorize", tag=TAG, entrance=Entrance.SIGNED_IN, body=AuthorizeRequest, answers=Decision)
def one(call: Call) -> Decision:
    """Answer whether somebody may do something, with the reason; a no is 200 too."""
    asked = call.given(AuthorizeRequest)
    [decision] = authorize.decide(call.database, call.actor, asked.organization, [asked.check])
    return decision


@operation("POST", "/authorize", tag=TAG, permission=authorize.ASKING, body=Questions, answers=list[Decision])
def many(call: Call) -> list[Decision]:
    """Answer many questions from one moment, in their order."""
    checks = [each.check for each in call.given(Questions).checks]
    return authorize.decide(call.database, call.actor, call.organization, checks)

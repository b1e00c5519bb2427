"""What a connection asks, one request after the other; the same script runs against the bridge and the floor."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from benchmarks.scim_floor import documents
from benchmarks.scim_floor.load import CONNECTIONS, Answer, Script
from benchmarks.scim_floor.worlds import Sample

ROOT = "/scim/v2"


@dataclass(frozen=True, slots=True)
class Asking:
    """A kind of request on one side; ``run`` makes names and places in a list different in every round."""

    kind: str
    sample: Sample
    run: int = 0
    group: int = 0

    def __call__(self, number: int, chance: random.Random) -> Script:
        """Begin the script of a connection."""
        made: Script = getattr(self, f"_{self.kind}")(number, chance)
        return made

    def _lookup(self, _number: int, chance: random.Random) -> Script:
        while True:
            yield self._find(documents.user_name(chance.randrange(len(self.sample.people))))

    def _get(self, _number: int, chance: random.Random) -> Script:
        while True:
            yield self._request("GET", f"/Users/{chance.choice(self.sample.people)}")

    def _list(self, _number: int, chance: random.Random) -> Script:
        while True:
            start = 1 + 100 * chance.randrange(len(self.sample.people) // 100)
            yield self._request("GET", f"/Users?startIndex={start}&count=100")

    def _create(self, number: int, _chance: random.Random) -> Script:
        count = 0
        while True:
            yield self._request("POST", "/Users", documents.user(f"{self.run}-{number}-{count}"))
            count += 1

    def _deactivate(self, number: int, _chance: random.Random) -> Script:
        mine = self.sample.people[number::CONNECTIONS]
        at = self.run * 900
        while True:
            operation = {"op": "Replace", "path": "active", "value": "False"}
            yield self._request("PATCH", f"/Users/{mine[at % len(mine)]}", _patch(operation))
            at += 1

    def _member(self, number: int, _chance: random.Random) -> Script:
        mine = self.sample.spare[number::CONNECTIONS]
        place = f"/Groups/{self.sample.groups[self.group]}"
        while True:
            # In, and out again: the group keeps its size.
            for op in ("Add", "Remove"):
                for each in mine:
                    yield self._request("PATCH", place, _patch(_members(op, each)))

    def _group(self, _number: int, _chance: random.Random) -> Script:
        while True:
            yield self._request("GET", f"/Groups/{self.sample.groups[self.group]}")

    def _cycle(self, number: int, chance: random.Random) -> Script:
        """Do what Entra does for each person: look up, then create or patch, then put into a group."""
        mine = self.sample.people[number::CONNECTIONS]
        inside: set[tuple[str, str]] = set()
        count = 0
        while True:
            group = chance.choice(self.sample.small_groups)
            if chance.random() < 0.5:
                name = f"cycle-{self.run}-{number}-{count}"
                yield self._find(documents.user_name(name))
                answer = yield self._request("POST", "/Users", documents.user(name))
                person = _id_in(answer)
            else:
                at = chance.randrange(len(mine))
                yield self._find(documents.user_name(at * CONNECTIONS + number))
                person = mine[at]
                operation = {"op": "Replace", "path": "title", "value": f"Engineer {self.run}-{count}"}
                yield self._request("PATCH", f"/Users/{person}", _patch(operation))
            op = "Remove" if (group, person) in inside else "Add"
            inside ^= {(group, person)}
            yield self._request("PATCH", f"/Groups/{group}", _patch(_members(op, person)))
            count += 1

    def _find(self, name: str) -> bytes:
        return self._request("GET", f"/Users?filter=userName+eq+%22{name.replace('@', '%40')}%22")

    def _request(self, method: str, target: str, body: object = None) -> bytes:
        head = (
            f"{method} {ROOT}{target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\n"
            f"Accept: application/scim+json\r\nAuthorization: Bearer {self.sample.token}\r\n"
        )
        if body is None:
            return f"{head}\r\n".encode()
        text = orjson.dumps(body)
        return f"{head}Content-Type: application/scim+json\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text


def _members(op: str, person: str) -> dict[str, object]:
    return {"op": op, "path": "members", "value": [{"value": person}]}


def _patch(*operations: Mapping[str, object]) -> dict[str, object]:
    return {"schemas": [documents.PATCH_URN], "Operations": list(operations)}


def _id_in(answer: Answer) -> str:
    at = answer.body.index(b'"id":"') + 6
    return answer.body[at : at + 36].decode()

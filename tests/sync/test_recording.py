"""What a cluster confirmed is on disk when its writer goes on, in as few transactions as there are moments."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
import sqlalchemy as sa

from scim_bridge.domain.bindings import Binding, BindingKey, Family
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Unavailable
from scim_bridge.store.announcements import Confirmed, Sight
from scim_bridge.store.applied import Applied
from scim_bridge.store.database import Connection, Database
from scim_bridge.sync.recording import Recorder
from tests.sync.worlds import NOON, World


class Counting(Database):
    """Counts its write transactions; each waits until ``open`` is set, and fails while ``broken``."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.transactions = 0
        self.open, self.reached = Event(), Event()
        self.open.set()
        self.broken = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self.transactions += 1
        self.reached.set()
        assert self.open.wait(60)
        if self.broken:
            raise Unavailable("The database is busy; try again in a moment.", retry_after=1)
        with super().write() as connection:
            yield connection


@pytest.fixture
def counting(world: World) -> Iterator[Counting]:
    made = Counting(world.database.url.render_as_string(hide_password=False))
    yield made
    made.dispose()


def recorder(world: World, database: Database) -> Recorder:
    return Recorder(database, Sight(world.organization_id, world.cluster_id, NOON, frozenset(), {}), lambda: NOON)


def key(world: World, namespace: str) -> BindingKey:
    return BindingKey(world.organization_id, world.cluster_id, Family(namespace, KubernetesRole.EDIT))


def record(found: Recorder, world: World, namespace: str, *subjects: str) -> None:
    made = Applied(Binding(key(world, namespace), subjects), f"name-{namespace}", "uid", "1")
    found.record(made.binding.key, Confirmed(made, subjects))


def test_a_write_is_on_disk_when_its_writer_goes_on(world: World, counting: Counting) -> None:
    found = recorder(world, counting)

    record(found, world, "shop", "ana", "ben")
    record(found, world, "shop", "ben", "cleo")
    after_writes = world.people_on_record()
    found.record(key(world, "shop"), None)

    assert (after_writes, world.people_on_record()) == ({"ben", "cleo"}, set())


def test_those_that_wait_at_one_moment_share_a_transaction(world: World, counting: Counting) -> None:
    found = recorder(world, counting)
    counting.open.clear()
    names = [f"shop-{number}" for number in range(8)]
    threads = [Thread(target=record, args=(found, world, name, f"person of {name}")) for name in names]

    threads[0].start()
    assert counting.reached.wait(60)
    for thread in threads[1:]:
        thread.start()
    while len(found._waiting) < len(threads):
        threads[0].join(0.01)
    counting.open.set()
    for thread in threads:
        thread.join(60)

    assert world.people_on_record() == {f"person of {name}" for name in names}
    assert counting.transactions == 2


def test_what_could_not_be_written_is_raised_and_written_by_the_next(world: World, counting: Counting) -> None:
    found = recorder(world, counting)
    counting.broken = True
    with pytest.raises(Unavailable):
        record(found, world, "shop", "ana")
    lost = world.people_on_record()

    counting.broken = False
    record(found, world, "blog", "ben")

    assert (lost, world.people_on_record()) == (set(), {"ana", "ben"})


def test_each_object_keeps_one_row_whoever_writes_it(world: World, counting: Counting) -> None:
    found = recorder(world, counting)

    for _ in range(3):
        record(found, world, "shop", "ana")

    with world.database.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM applied_binding")).scalar_one() == 1

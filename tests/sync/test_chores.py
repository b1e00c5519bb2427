"""What nobody waits for is done beside the ticks, and its failure stops nothing."""

from threading import Event

import pytest

from scim_bridge.app import open_runtime, purge
from scim_bridge.settings import Settings
from scim_bridge.store import migrations
from scim_bridge.store.database import Database
from scim_bridge.sync import scheduler as clock
from scim_bridge.sync.scheduler import Scheduler
from scim_bridge.sync.targets import Targets


def test_a_chore_is_done_again_and_again_though_it_failed(
    migrated_url: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "CHORE_MINUTES", 0.002)
    settings = Settings(home=str(tmp_path), database_url=migrated_url)
    opened = open_runtime(settings)
    rounds, enough = [], Event()

    def work() -> None:
        purge(opened)
        rounds.append(1)
        if len(rounds) > 2:
            enough.set()
        raise ZeroDivisionError

    targets = Targets(opened.database, opened.keyring, settings)
    running = Scheduler(opened.database, targets, settings, chores={"chore": work})
    running.start()
    try:
        assert enough.wait(20)
    finally:
        assert running.stop()
        targets.close()
        opened.database.dispose()
    assert migrations.state(Database(migrated_url))[0] is not None

"""What the clock does: every job has its errand."""

from pathlib import Path

from scim_bridge.app import open_runtime
from scim_bridge.chores import errands_of, shared_errands
from scim_bridge.domain.jobs import SORTS
from scim_bridge.settings import Settings

OF_THE_ENGINE = {"rescue"}


def test_every_job_is_an_errand_and_every_errand_a_job_but_the_claim_of_the_host(tmp_path: Path) -> None:
    opened = open_runtime(Settings(home=tmp_path))
    errands = errands_of(opened)
    shared = shared_errands(opened)
    opened.database.dispose()

    names = [each.name for each in errands]
    assert sorted(names) == sorted(SORTS.keys() - OF_THE_ENGINE | {"claim of this host"})
    assert {each.name for each in errands if each.queue} == {each.name for each in shared}
    assert all(each.queue for each in shared)

"""Jobs that nobody has in hand any more: their workers died, or lost them."""

import asyncio
from datetime import timedelta

from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from scim_bridge.errors import StoreError
from scim_bridge.log import get_logger
from scim_bridge.store.database import Database
from scim_bridge.store.work_queue import DriverError, unheld_jobs
from scim_bridge.sync.dispatch.jobs import open_app
from scim_bridge.sync.dispatch.looking import Clock

log = get_logger(__name__)


def rescue(database: Database, clock: Clock, patience: timedelta) -> int:
    """
    Take jobs of dead workers out of the queue, so that they lock nothing, and return how many there were.

    They are not begun again from here: what they were for is still due if it was not done, and is put there anew.
    """
    with database.read() as connection:
        # A worker may live and have lost a job all the same: when the database was away as it ended.
        unheld = unheld_jobs(connection, clock(), patience)
    try:
        gone = asyncio.run(_take_out(database, set(unheld), patience.total_seconds()))
    except (ConnectorException, DriverError) as error:
        raise StoreError(f"The queue cannot be reached: {error}") from error
    if gone:
        log.warning("jobs of workers that died are taken out of the queue", jobs=gone)
    return gone


async def _take_out(database: Database, unheld: set[int], seconds: float) -> int:
    app = open_app(database, most=1)
    async with app.open_async():
        manager = app.job_manager
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=seconds)
        gone = 0
        for each in sorted(unheld | {job.id for job in stalled if job.id is not None}):
            try:
                await manager.finish_job_by_id_async(each, Status.FAILED, delete_job=True)
            except ConnectorException:
                # Somebody else took it out, or it ended after all.
                continue
            gone += 1
        await manager.prune_stalled_workers(seconds)
    return gone

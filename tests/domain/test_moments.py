"""So long ago, or a date."""

from datetime import UTC, datetime, timedelta

import pytest

from scim_bridge.domain.moments import read_moment
from scim_bridge.errors import Invalid

AT = datetime(2030, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", AT - timedelta(seconds=90)),
        ("30m", AT - timedelta(minutes=30)),
        (" 2h ", AT - timedelta(hours=2)),
        ("7d", AT - timedelta(days=7)),
        ("2w", AT - timedelta(days=14)),
        ("2030-05-31", datetime(2030, 5, 31, tzinfo=UTC)),
        ("2030-05-31T10:00", datetime(2030, 5, 31, 10, tzinfo=UTC)),
        ("2030-05-31T10:00:00+02:00", datetime(2030, 5, 31, 8, tzinfo=UTC)),
        ("2030-05-31T10:00:00Z", datetime(2030, 5, 31, 10, tzinfo=UTC)),
    ],
)
def test_moments_are_read_in_the_ways_that_people_write_them(text: str, moment: datetime) -> None:
    assert read_moment(text, AT) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2 hours", "-2h", "h", "2030-13-01", "999999w", "٣h"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match="write 30m, 2h or 7d"):
        read_moment(text, AT)

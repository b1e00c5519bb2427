"""What a test needs of the machine, and what is said when the machine lacks it."""

import os
from typing import NoReturn

import pytest


def require(part: str, install: str) -> NoReturn:
    """
    Leave a test whose part of the machine is missing, and say how to get it.

    With REQUIRE_ALL=1 that is a failure: CI must not go green on what it did not run.
    """
    sentence = f"{part} is missing: {install}"
    if os.environ.get("REQUIRE_ALL", "") not in ("", "0"):
        pytest.fail(f"{sentence} (REQUIRE_ALL is set, so this counts)", pytrace=False)
    pytest.skip(f"{sentence}; REQUIRE_ALL=1 makes this a failure")

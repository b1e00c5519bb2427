"""One application on each kind of database, with one organization in it, for a test a row of the feature table."""

from tests.api.conftest import owner as owner
from tests.api.conftest import rest as rest
from tests.api.conftest import viewer as viewer

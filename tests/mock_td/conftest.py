"""Share an account, and a TD with one table that loads from it."""

from datetime import datetime

import pytest
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData


@pytest.fixture
def account():
    return KlaviyoAccount(
        datetime(2023, 1, 1), datetime(2024, 1, 1), custom={"flows": {"updated": "updated"}}
    )


@pytest.fixture
def td(account):
    with TreasureData(account) as td:
        td.databases.create_database("client_src")
        td.databases.create_table("client_src", "klaviyo_profiles")
        yield td

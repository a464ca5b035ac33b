"""The page of this site's settings tells where they come from, in the demo too, and how large the data is."""

import re

import pytest
from tests.main.whole import build_whole

from commonwatt.kit.pages.assets import BUILT
from commonwatt.main.site_pages import _size_of

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")


@pytest.fixture
async def whole(tmp_path, clock, ids):
    made = await build_whole(tmp_path, clock, ids)
    made.sign_in()
    return made


async def test_what_the_demo_set_is_not_said_to_be_set_by_the_reader(whole):
    page = whole.open("/settings").text
    row = re.search(r"<code>stations.auth</code>.*?</tr>", page, re.DOTALL)[0]
    assert "set by the demo" in row
    assert "set by you" not in row


async def test_a_file_that_is_not_there_is_not_named_as_the_file(whole, tmp_path):
    page = whole.open("/settings").text
    assert f"There is no file yet; it would be <code>{tmp_path}/commonwatt.toml</code>." in page
    (tmp_path / "commonwatt.toml").write_text("")
    assert f"The file is <code>{tmp_path}/commonwatt.toml</code>." in whole.open("/settings").text


async def test_a_member_who_mistypes_an_address_is_not_sent_to_scan(whole):
    page = whole.open("/stations/NOPE", 404).text
    assert "scan the code" not in page
    assert "begin at the overview" in page


def test_the_size_counts_the_write_ahead_log(tmp_path):
    (tmp_path / "a.sqlite").write_bytes(b"x" * 1000)
    (tmp_path / "a.sqlite-wal").write_bytes(b"x" * 500)
    assert _size_of(tmp_path / "a.sqlite") == 1500

"""Every page of a passer-by, pictured and judged; each works without an account."""

from tests.e2e.pictures import Album
from tests.e2e.scenes import FIRST, PASSERS, furnish_more


def test_pages_of_passers(chromium, town):
    album = Album(town, "passers")
    album.take(chromium, FIRST)
    furnish_more(town)
    album.take(chromium, PASSERS)
    album.close()

"""Every page of an owner, full and empty, pictured and judged; and none can be forgotten."""

import pytest
from tests.e2e.browser import add_authenticator, become_owner
from tests.e2e.pictures import Album
from tests.e2e.scenes import EMPTY, FIRST, OWNERS, PASSERS, furnish_more, page_routes


def sign_in(chromium, town):
    """Become the owner; return what a browser must know to be her."""
    with chromium.new_context(locale="en-GB") as context:
        page = context.new_page()
        add_authenticator(page)
        become_owner(page, town.serving.setup_link)
        return context.storage_state()


@pytest.mark.slow
def test_full_pages_of_owners(chromium, town):
    state = sign_in(chromium, town)
    furnish_more(town)
    album = Album(town, "owners")
    album.take(chromium, OWNERS, state, german=True)
    album.close()


def test_empty_pages_of_owners(chromium, empty_town):
    album = Album(empty_town, "empty")
    album.take(chromium, EMPTY, sign_in(chromium, empty_town))
    album.close()


def test_every_page_has_a_picture(empty_town):
    shown = {scene.route for scene in (*PASSERS, *OWNERS, *EMPTY, *FIRST)}
    assert page_routes(empty_town.app) - shown == set()

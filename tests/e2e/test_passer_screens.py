"""Every page of a passer-by, pictured and judged; each works without an account."""

import pytest
from tests.e2e.browser import PHONE, visiting
from tests.e2e.pictures import Album
from tests.e2e.scenes import FIRST, FREE, PASSERS, furnish_more

FOLD = {"width": 390, "height": 844}
TOUCHING = """(texts) => {
  const figures = [...document.querySelectorAll('.three dd')];
  figures.forEach((figure, place) => { figure.textContent = texts[place]; });
  const boxes = figures.map((figure) => {
    const range = document.createRange();
    range.selectNodeContents(figure);
    return range.getBoundingClientRect();
  });
  return boxes.some((box, place) => box.height > 40 || (place && box.left - boxes[place - 1].right < 8));
}"""


def test_pages_of_passers(chromium, town):
    album = Album(town, "passers")
    album.take(chromium, FIRST)
    furnish_more(town)
    album.take(chromium, PASSERS)
    album.close()


@pytest.mark.parametrize("language", ["en-GB", "de-DE", "fr-FR", "cs-CZ"])
def test_whoever_scans_sees_the_button_without_scrolling(chromium, town, language):
    with visiting(chromium, FOLD, locale=language) as context:
        page = context.new_page()
        page.goto(town.url(f"/c/{FREE}"))
        box = page.locator("button.main-button").bounding_box()
        assert box["y"] + box["height"] <= FOLD["height"], box


def test_three_numbers_keep_apart_and_links_of_the_foot_can_be_touched(chromium, town):
    furnish_more(town)
    with visiting(chromium, {**PHONE, "width": 360}) as context:
        page = context.new_page()
        page.goto(town.url(f"/s/{town.kept['running'].secret}"))
        assert not page.evaluate(TOUCHING, ["123.45 EUR", "150\u202fkW", "1:02:30"])
        for link in page.locator(".foot a").all():
            box = link.bounding_box()
            assert min(box["width"], box["height"]) >= 44, box

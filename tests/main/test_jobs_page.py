"""Jobs are told in words: every effect has some, and every event that somebody hears."""

import pytest
from tests.main.whole import build_whole

from commonwatt.charging import Rules
from commonwatt.kit.database import Effect, outbox
from commonwatt.main.reactions import reactions
from commonwatt.main.reference import import_everything
from commonwatt.main.site_pages import KINDS


def test_every_kind_of_job_has_words_and_no_other():
    import_everything()
    effects = {kind.kind for kind in Effect.__subclasses__() if kind.__module__.startswith("commonwatt.")}
    assert effects | {event.kind for event in reactions(Rules())} == set(KINDS)


@pytest.fixture
async def whole(tmp_path, clock, ids):
    built = await build_whole(tmp_path, clock, ids)
    built.act(keep_jobs)
    return built


def keep_jobs(work):
    for number, said in enumerate(("full_charge", "fullXcharge", "100% done", "100 done")):
        row = {"kind": "x", "payload": f'{{"said": "{said}"}}', "attempts": 9 - number, "made_ms": 1, "due_ms": 2}
        work.sql.execute(outbox.insert().values(**row, state="dead", error=""))


def test_a_search_takes_signs_of_patterns_for_letters(whole):
    def found(words):
        return len(whole.open("/jobs", format="csv", state="dead", q=words).text.splitlines()) - 1

    assert [found(words) for words in ("full_c", "0%", "FULL", "_", "\\")] == [1, 1, 2, 1, 0]

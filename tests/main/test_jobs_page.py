"""Jobs are told in words: every effect has some, and every event that somebody hears."""

from commonwatt.charging import Rules
from commonwatt.kit.database import Effect
from commonwatt.main.reactions import reactions
from commonwatt.main.reference import import_everything
from commonwatt.main.site_pages import KINDS


def test_every_kind_of_job_has_words_and_no_other():
    import_everything()
    effects = {kind.kind for kind in Effect.__subclasses__() if kind.__module__.startswith("commonwatt.")}
    assert effects | {event.kind for event in reactions(Rules())} == set(KINDS)

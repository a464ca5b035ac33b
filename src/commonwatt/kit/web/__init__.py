"""The web kit: one way to put routes together, to answer, to refuse, to page, to be live.

Reading order: `app` (what surrounds a route), `site`, `problems`, `surroundings`, `forgery`, `limits`, then what edges
use: `body`, `paging`, `lists`, `etag`, `idempotency`, `shown_once`, `comma_lists`, `encoding`, `live`.
"""

from commonwatt.kit.web.app import Behaviour, build_app
from commonwatt.kit.web.body import Body
from commonwatt.kit.web.comma_lists import csv_answer
from commonwatt.kit.web.described import also_as_csv, refuses
from commonwatt.kit.web.encoding import Answer, plain, to_json
from commonwatt.kit.web.errors import BadRequest, Changed, ForeignRequest, KeyReused, NoSuchPage, TooManyRequests
from commonwatt.kit.web.etag import IfMatch, Tagged, check_match, check_part, etag_of, tagged
from commonwatt.kit.web.forgery import csrf_token
from commonwatt.kit.web.idempotency import IdempotencyKey, ShownOnce, forget_answers, once, once_hiding, once_outside
from commonwatt.kit.web.lists import CSV_ROWS_MAX, AsFile, sorted_page
from commonwatt.kit.web.live import Live, TopicGate
from commonwatt.kit.web.made import Made, made
from commonwatt.kit.web.paging import Page, Paging, RowNumber, decode_cursor, encode_cursor, page_of
from commonwatt.kit.web.problems import answer_problem, wants_page
from commonwatt.kit.web.server import CannotListen, RunningServer, listen, serve
from commonwatt.kit.web.shown_once import form_key, once_key, shown_now
from commonwatt.kit.web.site import Site, session_cookie
from commonwatt.kit.web.surroundings import client_of

__all__ = [
    "CSV_ROWS_MAX",
    "Answer",
    "AsFile",
    "BadRequest",
    "Behaviour",
    "Body",
    "CannotListen",
    "Changed",
    "ForeignRequest",
    "IdempotencyKey",
    "IfMatch",
    "KeyReused",
    "Live",
    "Made",
    "NoSuchPage",
    "Page",
    "Paging",
    "RowNumber",
    "RunningServer",
    "ShownOnce",
    "Site",
    "Tagged",
    "TooManyRequests",
    "TopicGate",
    "also_as_csv",
    "answer_problem",
    "build_app",
    "check_match",
    "check_part",
    "client_of",
    "csrf_token",
    "csv_answer",
    "decode_cursor",
    "encode_cursor",
    "etag_of",
    "forget_answers",
    "form_key",
    "listen",
    "made",
    "once",
    "once_hiding",
    "once_key",
    "once_outside",
    "page_of",
    "plain",
    "refuses",
    "serve",
    "session_cookie",
    "shown_now",
    "sorted_page",
    "tagged",
    "to_json",
    "wants_page",
]

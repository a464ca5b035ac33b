"""A visitor chooses a language; a cookie keeps it."""

from __future__ import annotations

from litestar import get
from litestar.datastructures import Cookie
from litestar.response import Redirect

from commonwatt.kernel import said
from commonwatt.kit.pages.texts import PASSER_LANGUAGES
from commonwatt.kit.web.errors import BadRequest

YEAR_S = 31_536_000


@get("/language/{to:str}", include_in_schema=False)
async def choose(to: str, back: str = "/") -> Redirect:
    """Keep the language and return to the page, which must be one of ours."""
    if to not in PASSER_LANGUAGES:
        raise BadRequest(said("Choose one of %(codes)s.", codes=", ".join(PASSER_LANGUAGES)), field="to")
    target = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    cookie = Cookie(key="lang", value=to, max_age=YEAR_S, samesite="lax", path="/")
    return Redirect(target, status_code=303, cookies=[cookie])

"""Every error as people or programs read it: RFC 9457 problem details for the API, a page for browsers.

What we raise ourselves says what happened; what nobody foresaw says only its reference, and the log has the rest.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    TemplateNotFoundException,
    ValidationException,
)
from litestar.types import ExceptionHandlersMap

from commonwatt.kernel import Broken, Fault, Missing, Refused, Said, Unavailable, said
from commonwatt.kit.web.encoding import to_json
from commonwatt.kit.web.errors import BadRequest, MethodNotAllowed, NoSuchPage, TooLarge, TooManyRequests
from commonwatt.kit.web.site import Site
from commonwatt.kit.web.validation import field_problems
from commonwatt.protocols.lnurl import compose_error

MEDIA_TYPE = "application/problem+json"
_SERVER_ERROR = 500
_TOO_LARGE = 413
_WALLETS = ("/lnurl/", "/.well-known/lnurlp/")
_log = structlog.get_logger("web")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as its reader sees it; `type` is the address of the page that explains it."""

    type: str
    slug: str
    title: str
    status: int
    detail: str
    """In English, for programs and the log."""
    said: Said
    """The same for a page, which says it in its reader's language."""
    reference: str
    fields: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)

    def body(self) -> dict[str, Any]:
        """Return the members of RFC 9457 and our typed fields beside them."""
        standard: dict[str, Any] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:uuid:{self.reference}" if self.reference else None,
            "slug": self.slug,
        }
        if self.errors:
            standard["errors"] = self.errors
        return {key: value for key, value in {**self.fields, **standard}.items() if value is not None}


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a person with a browser asks, not a program."""
    if request.url.path.startswith("/api/"):
        return False
    return "text/html" in request.headers.get("accept", "") or request.headers.get("hx-request") == "true"


def reference_of(request: Request[Any, Any, Any]) -> str:
    """Return the id of this request, which the answer's `X-Request-Id` and the log carry."""
    return str(request.scope.get("cw_reference", ""))


def fault_of(error: Exception, request: Request[Any, Any, Any] | None = None) -> Fault:
    """Translate any exception into one of our faults; what nobody foresaw becomes Broken without details.

    The request knows the names and the kinds of what it should have held.
    """
    match error:
        case Fault():
            return error
        case ValidationException():
            told = [] if request is None else field_problems(error, request)
            named = " ".join(f"{one['field']}: {one['message']}" if one["field"] else one["message"] for one in told)
            words = said("A field is missing or not of its kind.")
            return BadRequest(named or words, told).in_words(words)
        case NotFoundException():
            return NoSuchPage(said("Nothing lives at this address. It may be mistyped, or the thing was never here."))
        case MethodNotAllowedException():
            return MethodNotAllowed(said("This address exists, but it does not take this method."))
        case HTTPException(status_code=status) if status == _TOO_LARGE:
            return TooLarge(said("The body is larger than this address takes."))
        case HTTPException(status_code=status) if status < _SERVER_ERROR:
            words = said("The request cannot be read.")
            answer = BadRequest(error.detail or words).in_words(words)
            answer.status = status  # type: ignore[misc] # the wire's own code says more than ours would
            return answer
        case HTTPException():
            words = said("The server cannot answer this now.")
            return Unavailable(error.detail or words).in_words(words)
        case _:
            return Broken(
                said("Something failed that we did not foresee. The reference below finds it in the server's log.")
            )


def problem_of(error: Exception, site: Site, reference: str, request: Request[Any, Any, Any] | None = None) -> Problem:
    """Describe an exception to its reader; one about a field has it in `errors`, and the first at the top as well."""
    fault = fault_of(error, request)
    errors = fault.errors if isinstance(fault, BadRequest) else []
    named = {**fault.fields}
    if errors:
        named.setdefault("field", errors[0]["field"] or None)
    elif field_name := named.get("field"):
        errors = [{"field": str(field_name), "message": fault.detail}]
    address = site.url(f"/problems/{fault.slug}")
    return Problem(
        type=address,
        slug=fault.slug,
        title=fault.title,
        status=fault.status,
        detail=fault.detail,
        said=fault.said,
        reference=reference,
        fields=named,
        errors=errors,
    )


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer any exception; unforeseen ones and our own broken invariants are logged with their trace."""
    site: Site = request.app.state.site
    problem = problem_of(error, site, reference_of(request), request)
    if problem.status >= _SERVER_ERROR and not isinstance(error, Refused | Missing | Unavailable):
        _log.error("request failed", reference=problem.reference, slug=problem.slug, error=repr(error), exc_info=error)
    headers = {"Cache-Control": "no-store"}
    if "retry_after" in problem.fields:
        headers["Retry-After"] = str(problem.fields["retry_after"])
    if isinstance(error, HTTPException) and error.headers:
        headers.update(error.headers)
    challenge = problem.fields.get("authenticate")
    if challenge:
        headers["WWW-Authenticate"] = str(challenge)
    if isinstance(error, TooManyRequests) and request.url.path.startswith(_WALLETS):
        # A wallet reads nothing but what LUD-06 names, and some of them only where the status is 200.
        headers["Access-Control-Allow-Origin"] = "*"
        return Response(compose_error(problem.detail), status_code=200, media_type="application/json", headers=headers)
    if wants_page(request):
        page = _page(request, problem)
        return Response(page, status_code=problem.status, media_type="text/html", headers=headers)
    return Response(to_json(problem.body()), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Fault: answer_problem,
    HTTPException: answer_problem,
    Exception: answer_problem,
}


def render_own(request: Request[Any, Any, Any], name: str, **context: Any) -> str | None:
    """Render a template of the page kit; None where it is absent or fails itself: these pages must always answer."""
    engine = request.app.template_engine
    if engine is None:
        return None
    try:
        return str(engine.get_template(name).render(site=request.app.state.site, request=request, **context))
    except TemplateNotFoundException:
        return None
    except Exception as error:  # noqa: BLE001 (a page about an error must never be an error)
        _log.error("page failed", template=name, error=repr(error))
        return None


def _page(request: Request[Any, Any, Any], problem: Problem) -> str:
    """Render `problem.html` of the page kit, or a bare page without it."""
    fragment = request.headers.get("hx-request") == "true"
    page = render_own(request, "problem.html", problem=problem, fragment=fragment)
    if page is not None:
        return page
    say = html.escape
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{say(problem.title)}</title><main><h1>{say(problem.title)}</h1><p>{say(problem.detail)}</p>"
        f"<p><a href='{say(problem.type)}'>What this means and what to do</a></p>"
        f"<p><small>Reference {say(problem.reference)}</small></p></main></html>"
    )

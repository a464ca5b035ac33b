"""What the log must never tell."""

import io
import sys

import pytest
import structlog

from commonwatt.kit.log import configure_log


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_never_tells_what_variables_held(form):
    stream = io.StringIO()
    configure_log(form, "info", stream)
    try:
        handle("cw_very" + "_secret")
    except ValueError:
        structlog.get_logger("test").exception("page failed")
    finally:
        configure_log("console", "info", sys.stdout)
    said = stream.getvalue()
    assert "it broke" in said
    assert "handle" in said
    assert "cw_very_secret" not in said


def handle(cookie):
    assert cookie
    raise ValueError("it broke")

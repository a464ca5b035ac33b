"""What programs send: no body of the API lets a field pass that nobody reads."""

from importlib import import_module
from typing import get_args, get_type_hints

import pytest
from litestar.handlers import HTTPRouteHandler

from commonwatt.kit.web import Body
from commonwatt.main.asgi import EDGES, SANDBOX_EDGES


def _bodies():
    for name in (*EDGES, *SANDBOX_EDGES):
        if not name.endswith(".api"):
            continue
        for handler in vars(import_module(name)).values():
            if isinstance(handler, HTTPRouteHandler):
                wanted = get_type_hints(handler.fn).get("data")
                if wanted is not None:
                    yield pytest.param(wanted, id=f"{name.split('.')[-2]}.{handler.fn.__name__}")


@pytest.mark.parametrize("wanted", list(_bodies()))
def test_a_body_has_fixed_fields_or_is_read_by_its_action(wanted):
    if isinstance(wanted, type) and wanted is not dict and not hasattr(wanted, "__origin__"):
        assert issubclass(wanted, Body)
        return
    assert dict in {getattr(one, "__origin__", one) for one in (wanted, *get_args(wanted))}

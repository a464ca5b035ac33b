"""How our words look in JSON: instants as RFC 3339, amounts with their asset, quantities as whole numbers.

msgspec writes any dataclass by its fields, so answers are first turned into plain values here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeVar

import msgspec
from litestar import Response
from litestar._openapi.schema_generation import SchemaCreator
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Reference, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from commonwatt.kernel import Amount, Asset, Instant, Said, amount_text
from commonwatt.kernel.quantity import Quantity

_PLAIN = (str, int, bool, type(None), float, bytes)
_encode = msgspec.json.Encoder().encode


def plain(value: Any) -> Any:  # noqa: C901, PLR0912 (one case per word is the clearest form)
    """Return the value as JSON values only; Instant, Amount and Quantity as the module's docstring says."""
    match value:
        case Enum():
            return plain(value.value)
        case bytes():
            return value.hex()
        case Said():
            return str(value)
        case _ if isinstance(value, _PLAIN):
            return value
        case Instant():
            return value.iso()
        case Amount():
            return {"asset": value.asset.code, "units": value.units, "text": amount_text(value)}
        case Asset():
            return value.code
        case Quantity():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case msgspec.Struct():
            names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
            return {wire: plain(getattr(value, name)) for name, wire in names}
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return msgspec.to_builtins(value)


def to_json(value: Any) -> bytes:
    """Encode any answer of ours as JSON."""
    return _encode(plain(value))


T = TypeVar("T")


class Answer(Response[T]):
    """The response class of the whole application: as Litestar's, but our words look as `plain` says."""

    def render(self, content: Any, media_type: str, enc_hook: Any = None) -> bytes:
        """Render JSON by `to_json`, everything else as Litestar does."""
        if not isinstance(content, bytes | str) and "json" in media_type:
            return to_json(content)
        return super().render(content, media_type, enc_hook)


class WordsInSchema(OpenAPISchemaPlugin):
    """Tells OpenAPI how instants, amounts and quantities look."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        """Whether the type is one of ours."""
        return isinstance(value, type) and issubclass(value, Instant | Amount | Quantity | Asset)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        """Return the schema of one of our types."""
        del schema_creator
        word = field_definition.annotation
        if issubclass(word, Instant):
            return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME, description="RFC 3339, UTC")
        if issubclass(word, Asset):
            return Schema(type=OpenAPIType.STRING, description="BTC, WH, or a code of ISO 4217")
        if issubclass(word, Amount):
            about: dict[str, Reference | Schema] = {
                "asset": Schema(type=OpenAPIType.STRING, description="BTC, WH, or a code of ISO 4217"),
                "units": Schema(type=OpenAPIType.INTEGER, description="msat, Wh, or millionths of the currency"),
                "text": Schema(type=OpenAPIType.STRING, description="the same for people"),
            }
            return Schema(type=OpenAPIType.OBJECT, properties=about, required=["asset", "units", "text"])
        return Schema(type=OpenAPIType.INTEGER, description=word.__doc__)

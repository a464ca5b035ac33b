"""Reads a JSON object field by field, exactly, and says where it stops making sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from commonwatt.kernel import Instant, said
from commonwatt.tariffs.errors import TariffInvalid

BYTES_MAX = 200_000
UNITS_MAX = 10**17
"""The largest price: a million bitcoin, or a hundred thousand million of a currency."""
DIGITS_MAX = 50
EARLIEST, LATEST = Instant.parse("2000-01-01T00:00:00Z"), Instant.parse("2200-01-01T00:00:00Z")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def decode(source: bytes | str) -> dict[str, Any]:
    """Decode a JSON object with exact decimals. Raises TariffInvalid for anything else."""
    if len(source) > BYTES_MAX:
        raise TariffInvalid(said("A tariff has at most %(most)s bytes.", most=BYTES_MAX), field="")
    try:
        document = _decoder.decode(source)
    except (msgspec.DecodeError, UnicodeError, InvalidOperation, RecursionError) as error:
        raise TariffInvalid(said("This is not JSON: %(error)s.", error=error), field="") from None
    if not isinstance(document, dict):
        raise TariffInvalid(said("A tariff is a JSON object with the fields `name`, `asset` and `elements`."), field="")
    return document


def decimal_text(value: int, scale: int) -> str:
    """Write a whole number of 10^-scale exactly and as short as can be: 450000 at 6 is `0.45`."""
    whole, rest = divmod(abs(value), 10**scale)
    decimals = f"{rest:0{scale}d}".rstrip("0") if scale else ""
    return f"{'-' if value < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"


def exact(heard: object, scale: int, most: int, place: str, *, comma: bool = False) -> int:
    """Read a number that is not negative as a whole number of 10^-scale. `most` bounds the number itself.

    With `comma` the decimals of a text may begin with one. Raises TariffInvalid naming the place when it is no number,
    has more decimals, or is out of bounds.
    """
    if isinstance(heard, bool) or not isinstance(heard, int | float | str | Decimal):
        raise TariffInvalid(said("A number is wanted here, not %(heard)s.", heard=_shown(heard)), field=place)
    if len(str(heard)) > DIGITS_MAX:
        raise TariffInvalid(said("A number has at most %(most)s digits here.", most=DIGITS_MAX), field=place)
    try:
        number = Decimal((str(heard).replace(",", ".") if comma else str(heard)).strip())
    except InvalidOperation:
        raise TariffInvalid(
            said("%(heard)s is no number. Write it like 0.45.", heard=_shown(heard)), field=place
        ) from None
    if not number.is_finite() or number < 0 or number > most:
        raise TariffInvalid(
            said("%(heard)s is out of bounds: 0 to %(most)s.", heard=_shown(heard), most=most), field=place
        )
    _, digits, exponent = number.as_tuple()
    whole, shift = int("".join(map(str, digits))), int(exponent) + scale
    if not whole:
        return 0
    power: int = 10 ** min(abs(shift), 2 * DIGITS_MAX)
    scaled, rest = (whole * power, 0) if shift >= 0 else divmod(whole, power)
    if rest:
        raise TariffInvalid(
            said("%(heard)s has more than the %(scale)s decimals that are counted.", heard=_shown(heard), scale=scale),
            field=place,
        )
    return scaled


def moment(heard: object, place: str) -> Instant:
    """Read an instant as RFC 3339 with a zone, between 2000 and 2200. Raises TariffInvalid naming the place."""
    try:
        found = Instant.parse(heard) if isinstance(heard, str) else None
    except (ValueError, OverflowError):
        found = None
    if found is None or not EARLIEST <= found < LATEST:
        raise TariffInvalid(
            said(
                "%(heard)s is no time with a zone from this age. Write it like 2026-05-01T00:00:00Z.",
                heard=_shown(heard),
            ),
            field=place,
        )
    return found


class Reader:
    """One object of the document; every field is taken once, and what is left over is refused."""

    def __init__(self, fields: Mapping[str, Any], place: str, names: Mapping[str, str]) -> None:
        """Take the fields, where the object stands, and other names under which fields may come."""
        self._place = place
        self._names = names
        self._left = {names.get(name, name): value for name, value in fields.items() if value is not None}
        self._said = {names.get(name, name): name for name in fields}

    def at(self, name: str) -> str:
        """Return the place of a field: `elements.0.components.1.price`."""
        heard = self._said.get(name, name)
        return f"{self._place}.{heard}" if self._place else heard

    def take(self, name: str) -> Any:
        """Return a field's value and count it as read; None when absent."""
        return self._left.pop(name, None)

    def done(self) -> None:
        """Refuse what was not read."""
        for name in self._left:
            raise TariffInvalid(
                said("%(name)s is not a field here; correct or remove it.", name=repr(self._said.get(name, name))),
                field=self.at(name),
            )

    def text(self, name: str, length_max: int, default: str | None = None) -> str:
        """Read a text of bounded length."""
        heard = self.take(name)
        if heard is None:
            heard = default
        if heard is None:
            raise TariffInvalid(said("The field %(field)s is missing.", field=self.at(name)), field=self.at(name))
        if not isinstance(heard, str) or len(heard) > length_max or not heard.isprintable():
            raise TariffInvalid(
                said("A text of at most %(length_max)s characters is wanted here.", length_max=length_max),
                field=self.at(name),
            )
        return heard.strip()

    def flag(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        heard = self.take(name)
        if heard is None:
            return default
        if not isinstance(heard, bool):
            raise TariffInvalid(said("Say true or false."), field=self.at(name))
        return heard

    def units(self, name: str, scale: int, default: int | None = None) -> int:
        """Read an amount as units of an asset of that scale."""
        heard = self.take(name)
        if heard is None and default is not None:
            return default
        if heard is None:
            raise TariffInvalid(said("The field %(field)s is missing.", field=self.at(name)), field=self.at(name))
        return exact(heard, scale, UNITS_MAX // 10**scale, self.at(name))

    def scaled(self, name: str, scale: int, most: int, default: int | None = None) -> int | None:
        """Read a number as a whole number of 10^-scale."""
        heard = self.take(name)
        return default if heard is None else exact(heard, scale, most, self.at(name))

    def whole(self, name: str, most: int, default: int | None = None) -> int | None:
        """Read a whole number."""
        return self.scaled(name, 0, most, default)

    def words(self, name: str, known: Sequence[str]) -> list[str]:
        """Read a list of known words; each counts once."""
        heard = self.take(name)
        if heard is None:
            return []
        if not isinstance(heard, list | tuple) or any(word not in known for word in heard):
            raise TariffInvalid(
                said("A list of these is wanted here: %(known)s.", known=", ".join(known)), field=self.at(name)
            )
        return list(dict.fromkeys(heard))

    def inner(self, name: str) -> Reader | None:
        """Read an object inside this one."""
        heard = self.take(name)
        return None if heard is None else self._inner(heard, self.at(name))

    def objects(self, name: str, most: int) -> list[Reader]:
        """Read a list of objects."""
        heard = self.take(name)
        if heard is None:
            return []
        if not isinstance(heard, list | tuple) or len(heard) > most:
            raise TariffInvalid(
                said("A list of at most %(most)s objects is wanted here.", most=most), field=self.at(name)
            )
        return [self._inner(each, f"{self.at(name)}.{number}") for number, each in enumerate(heard)]

    def _inner(self, heard: Any, place: str) -> Reader:
        if not isinstance(heard, Mapping):
            raise TariffInvalid(said("An object is wanted here, not %(heard)s.", heard=_shown(heard)), field=place)
        return Reader({str(name): value for name, value in heard.items()}, place, self._names)


def _shown(heard: object) -> str:
    text = repr(str(heard) if isinstance(heard, Decimal) else heard)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 (what fits into a sentence)

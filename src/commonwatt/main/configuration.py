"""Reads the configuration: file, environment and options become one frozen tree, or one error that names every slip."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from commonwatt.kernel import BTC, Refused, is_currency
from commonwatt.kit.reason import reason_of
from commonwatt.main.config import Address, Config
from commonwatt.main.keys import DOTS, PREFIX, KeySpec, choices, key_specs, shown
from commonwatt.main.origin import canonical_origin, is_origin

ALIASES = {"COMMONWATT_DATA": "data.dir"}
NOT_KEYS = {
    "COMMONWATT_CONFIG",
    "COMMONWATT_PEERS",
    "COMMONWATT_SERVER",
    "COMMONWATT_STATION_PASSWORD",
    "COMMONWATT_TOKEN",
    "COMMONWATT_URL",
}
"""Variables that other parts of the command line read: the file itself, built peers, a remote server with its keys."""
FILE_NAME = "commonwatt.toml"
RAILS = ("sandbox", "lnd")
RATE_SOURCES = ("kraken", "coinbase", "bitstamp", "mempool")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class ConfigRefused(Refused):
    """The configuration has keys or values that we do not understand."""

    slug = "config-refused"
    title = "The configuration cannot be used"
    status = 422


@dataclass(frozen=True, slots=True)
class Loaded:
    """The tree, and where each key that was set came from."""

    config: Config
    origins: dict[str, str]
    file: Path | None

    def value(self, name: str) -> Any:
        """Return a key's value."""
        section, _, attribute = name.partition(".")
        return getattr(getattr(self.config, section), attribute)

    def shown(self, spec: KeySpec) -> str:
        """Return a key's value as the file would write it; a secret as dots."""
        return shown(self.value(spec.name), secret=spec.secret)


@dataclass(frozen=True, slots=True)
class Slip:
    """Something in the sources that cannot be: what, and the key that it is about; empty where that is none of ours."""

    text: str
    key: str = ""


def load(
    overrides: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Loaded:
    """Build the tree; raises ConfigRefused with every slip at once, each naming its place and what would be right.

    `file` or `COMMONWATT_CONFIG` names the file, else `commonwatt.toml` in the data directory is read when it exists.
    """
    loaded, slips = load_what_can_be(overrides, environment, file)
    if slips:
        raise refusal(slips)
    return loaded


def refusal(slips: Sequence[Slip]) -> ConfigRefused:
    """Return the error that names every slip."""
    return ConfigRefused("\n\n".join(slip.text for slip in slips), slips=len(slips))


def load_what_can_be(
    overrides: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> tuple[Loaded, list[Slip]]:
    """Build the tree as far as it can be understood: a key that cannot has its default, and its slip is returned."""
    env = os.environ if environment is None else environment
    specs = {spec.name: spec for spec in key_specs()}
    wrong: list[Slip] = []
    named = {name: (text, "the command line") for name, text in (overrides or {}).items()}
    from_env = dict(_environment(env, specs, wrong))
    path, from_file, readable = None, {}, True
    try:
        path = _find_file(file, env, {**from_env, **named}, specs)
        from_file = dict(_file(path, specs, wrong))
    except ConfigRefused as error:
        wrong.append(Slip(error.detail))
        readable = False
    raw: dict[str, tuple[Any, str]] = {**from_file, **from_env, **named}
    values: dict[str, Any] = {}
    for name, (value, origin) in raw.items():
        spec = specs.get(name)
        if spec is None:
            wrong.append(Slip(f"{origin}: {_unknown(name, specs)}"))
            continue
        try:
            values[name] = _read(spec, value)
        except (ValueError, TypeError) as error:
            said = DOTS if spec.secret else repr(value)
            wrong.append(Slip(f"{origin}: {name} {error}, not {said}.", name))
    config = _tree(values)
    if readable:
        wrong += [Slip(text, text.partition(" ")[0]) for text in _disagreements(config)]
        config = _with_canonical_address(config, wrong)
    return Loaded(config, {name: raw[name][1] for name in values}, path), wrong


def _find_file(
    file: Path | None, env: Mapping[str, str], raw: Mapping[str, tuple[Any, str]], specs: Mapping[str, KeySpec]
) -> Path | None:
    chosen = file or (Path(env["COMMONWATT_CONFIG"]) if env.get("COMMONWATT_CONFIG") else None)
    if chosen is not None:
        if not chosen.is_file():
            raise ConfigRefused(f"There is no file {chosen}. Name an existing one, or leave --config out.")
        return chosen
    data, _ = raw.get("data.dir", (specs["data.dir"].default, ""))
    usual = Path(data).expanduser() / FILE_NAME
    return usual if usual.is_file() else None


def _file(path: Path | None, specs: Mapping[str, KeySpec], wrong: list[Slip]) -> Iterator[tuple[str, tuple[Any, str]]]:
    if path is None:
        return
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigRefused(f"{path} cannot be read: {_why(error)}.") from error
    for section, keys in tree.items():
        if not isinstance(keys, dict):
            wrong.append(Slip(f"{path}: {section!r} stands outside of a section. {_unknown(section, specs)}"))
            continue
        for name, value in keys.items():
            yield f"{section}.{name}", (value, str(path))


def _why(error: Exception) -> str:
    """Say in words why a file cannot be read."""
    match error:
        case OSError():
            return reason_of(error)
        case UnicodeDecodeError():
            return "it is no text in UTF-8"
        case _:
            return str(error)


def _environment(
    env: Mapping[str, str], specs: Mapping[str, KeySpec], wrong: list[Slip]
) -> Iterator[tuple[str, tuple[Any, str]]]:
    variables = {spec.variable: spec.name for spec in specs.values()} | ALIASES
    for variable, value in sorted(env.items()):
        if not variable.startswith(PREFIX) or variable in NOT_KEYS:
            continue
        name = variables.get(variable)
        if name is not None:
            yield name, (value, f"the environment ({variable})")
            continue
        near = difflib.get_close_matches(variable, variables, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        wrong.append(Slip(f"The environment: {variable} sets no key that we know.{hint}"))


def _unknown(name: str, specs: Mapping[str, KeySpec]) -> str:
    near = difflib.get_close_matches(name, specs, n=1, cutoff=0.5)
    if not near:
        near = [key for key in specs if key.partition(".")[2] == name.rpartition(".")[2]][:1]
    hint = f" The nearest is {near[0]}." if near else " `commonwatt config explain` lists all keys."
    return f"{name} is no key that we know.{hint}"


def _read(spec: KeySpec, value: Any) -> Any:
    result = _convert(spec.kind, value)
    if isinstance(result, int) and not isinstance(result, bool):
        if spec.least is not None and result < spec.least:
            msg = f"must be at least {spec.least}"
            raise ValueError(msg)
        if spec.most is not None and result > spec.most:
            msg = f"must be at most {spec.most}"
            raise ValueError(msg)
    return result


def _convert(kind: Any, value: Any) -> Any:  # noqa: C901 (one case per type)
    """Read a value of the file, or the text of a variable or option, as the key's type; raises ValueError."""
    if get_origin(kind) is types.UnionType:
        return None if value == "" else _convert(get_args(kind)[0], value)
    if get_origin(kind) is tuple:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            msg = "must be a list of words"
            raise ValueError(msg)
        return tuple(item.strip() for item in items if item.strip())
    if kind is bool:
        return _convert_bool(value)
    if kind is int:
        if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
            msg = "must be a whole number"
            raise ValueError(msg)
        return int(value)
    if not isinstance(value, str):
        msg = "must be a text in quotes"
        raise TypeError(msg)
    if kind is Address:
        return Address.parse(value)
    if kind is Path:
        return Path(value).expanduser()
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in list(kind):
            msg = "must be " + choices(kind)
            raise ValueError(msg)
        return kind(value)
    return value


def _convert_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "1", "yes", "on"}:
        return True
    if str(value).lower() in {"false", "0", "no", "off"}:
        return False
    msg = "must be true or false"
    raise ValueError(msg)


def _tree(values: Mapping[str, Any]) -> Config:
    sections = {}
    for section, tree in get_type_hints(Config).items():
        given = {name.partition(".")[2]: value for name, value in values.items() if name.startswith(f"{section}.")}
        sections[section] = tree(**given)
    return Config(**sections)


def _disagreements(config: Config) -> Iterator[str]:
    """Say what each key alone cannot: keys that contradict each other, and texts that mean nothing."""
    site = config.site
    yield from _money_slips(config)
    if site.base_url and not is_origin(site.base_url, {"http", "https"}):
        yield f"site.base_url must look like https://charge.example, without a path, not {site.base_url!r}."
    if config.stations.public_url and not is_origin(config.stations.public_url, {"ws", "wss"}):
        yield f"stations.public_url must look like wss://charge.example, not {config.stations.public_url!r}."
    try:
        ZoneInfo(site.timezone)
    except (KeyError, ValueError, OSError):
        yield f"site.timezone must be a name of the IANA list like Europe/Prague, not {site.timezone!r}."
    if site.currency != BTC.code and not is_currency(site.currency):
        yield f"site.currency must be a code of ISO 4217 like EUR, not {site.currency!r}."
    if not _COLOUR.fullmatch(site.accent):
        yield f"site.accent must look like #0b6e4f, not {site.accent!r}."
    yield from _port_slips(config)


def _port_slips(config: Config) -> Iterator[str]:
    for network in config.http.trusted_proxies:
        try:
            ip_network(network)
        except ValueError:
            yield f"http.trusted_proxies must name networks like 10.0.0.0/8, not {network!r}."
    for host in config.http.hosts:
        if not host.isascii() or ":" in host or not is_origin(f"http://{host}", {"http"}):
            yield f"http.hosts must name hosts like charger.lan, without scheme and port, not {host!r}."
    for name, tls in (("http", config.http), ("stations", config.stations)):
        if (tls.tls_certificate is None) != (tls.tls_key is None):
            yield f"{name}.tls_certificate and {name}.tls_key belong together; set both or none."


def _with_canonical_address(config: Config, wrong: list[Slip]) -> Config:
    """Write base_url as browsers write an origin, since a passkey's origin is compared letter by letter."""
    site = config.site
    if not site.base_url or not is_origin(site.base_url, {"http", "https"}):
        return config
    try:
        return replace(config, site=replace(site, base_url=canonical_origin(site.base_url)))
    except ValueError as error:
        said = f"site.base_url must name a host that a browser can open, not {site.base_url!r}: {error}."
        wrong.append(Slip(said, "site.base_url"))
        return config


def _money_slips(config: Config) -> Iterator[str]:
    rails = config.payments.rails
    if not rails or len(set(rails)) < len(rails) or any(rail not in RAILS for rail in rails):
        yield f"payments.rails must name at least one of {', '.join(RAILS)}, each once, not {shown(rails)}."
    if "lnd" in rails and not (config.lnd.url and (config.lnd.macaroon_path or config.lnd.macaroon_hex)):
        yield "payments.rails names lnd, but lnd.url or lnd.macaroon_path is not set."
    if config.lnd.macaroon_path and config.lnd.macaroon_hex:
        yield "lnd.macaroon_path and lnd.macaroon_hex are both set; keep one."
    if config.rates.fixed and not re.fullmatch(r"[1-9]\d{0,11}(\.\d{1,6})?", config.rates.fixed):
        yield f"rates.fixed must be a decimal number like 60000.00, not {config.rates.fixed!r}."
    if config.payments.amount_min_msat > config.payments.amount_max_msat:
        yield "payments.amount_min_msat is more than payments.amount_max_msat; nobody could pay."
    rates = config.rates
    if not set(rates.sources) <= set(RATE_SOURCES) or len(set(rates.sources)) < len(rates.sources):
        yield f"rates.sources must name some of {', '.join(RATE_SOURCES)}, each once, not {shown(rates.sources)}."
    if not config.fixed_rate and len(rates.sources) < rates.sources_min:
        yield f"rates.sources names {len(rates.sources)}, but rates.sources_min asks for {rates.sources_min}."
    if config.charging.start_timeout_s > config.payments.hold_s:
        yield "charging.start_timeout_s is longer than payments.hold_s; a held payment would go back before the start."

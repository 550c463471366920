"""Coarse twins: what may be told of a value when the value itself may not.

Each derivation is named in `fields.csv`. A twin says the same or less than its value, never more,
and a derivation that leaves nothing to tell gives None.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

from sharing.event import Json

_BANDS = ((0, "0"), (9, "1-9"), (99, "10-99"), (499, "100-499"))


def twin_of(derivation: str, value: Json) -> Json:
    """Return the coarse twin of a value that `values.read_value` has checked, or None."""
    return _TWINS[derivation](value)


def exact_of(derivation: str, value: Json) -> Json:
    """Return what of the exact value may be sealed: all of it, but for the structured fields."""
    match derivation:
        case "service":
            return services_with_state(value)
        case "exploited":
            return exploited_devices(value)
        case _:
            return value


def hour(value: Json) -> Json:
    """The hour an instant falls into; a bare day stays a day."""
    text = str(value)
    return f"{text[:13]}:00:00Z" if len(text) > 10 else text


def day(value: Json) -> Json:
    """The day an instant falls on."""
    return str(value)[:10]


def band(value: Json) -> Json:
    """The band a count falls into; None for what is no count."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return next((name for top, name in _BANDS if value <= top), "500+")


def service_names(value: Json) -> Json:
    """The names of the affected services, sorted so that their order tells nothing."""
    names: list[Json] = [*sorted({str(item["service"]) for item in _objects(value)})]
    return names or None


def services_with_state(value: Json) -> Json:
    """Each affected service with its degradation; times and workarounds stay in the report."""
    kept: list[Json] = [_only(item, "service", "degradation") for item in _objects(value)]
    return kept or None


def exploited_devices(value: Json) -> Json:
    """The devices that were exploited; the others only say what a hospital owns."""
    kept: list[Json] = [item for item in _objects(value) if item.get("exploited") is True]
    return kept or None


def bare_url(url: str) -> str | None:
    """The URL without userinfo, query and fragment; as it is if it has none, None if unreadable."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    if not (parts.query or parts.fragment or "@" in parts.netloc or url.endswith(("?", "#"))):
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _objects(value: Json) -> list[dict[str, Json]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _only(item: dict[str, Json], *names: str) -> Json:
    return {name: item[name] for name in names if name in item}


_TWINS: Mapping[str, Callable[[Json], Json]] = {
    "hour": hour,
    "day": day,
    "band": band,
    "service": service_names,
}

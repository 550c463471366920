"""The time of the wall, for who types it: each country's capital, and UTC.

A form takes what the clock on the wall says and where that wall is; everything behind it is UTC.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_CAPITALS = {
    "AT": "Vienna", "BE": "Brussels", "BG": "Sofia", "CY": "Nicosia", "CZ": "Prague",
    "DE": "Berlin", "DK": "Copenhagen", "EE": "Tallinn", "ES": "Madrid", "FI": "Helsinki",
    "FR": "Paris", "GR": "Athens", "HR": "Zagreb", "HU": "Budapest", "IE": "Dublin",
    "IT": "Rome", "LT": "Vilnius", "LU": "Luxembourg", "LV": "Riga", "MT": "Malta",
    "NL": "Amsterdam", "NO": "Oslo", "PL": "Warsaw", "PT": "Lisbon", "RO": "Bucharest",
    "SE": "Stockholm", "SI": "Ljubljana", "SK": "Bratislava", "LI": "Vaduz",
}  # fmt: skip
_ELSEWHERE = {"CY": "Asia/Nicosia", "IS": "Atlantic/Reykjavik"}


def zone_of(country: str) -> ZoneInfo | None:
    """Give the zone of a country's capital; None: unknown, or this machine knows no zones."""
    name = _ELSEWHERE.get(country) or f"Europe/{_CAPITALS.get(country, '')}"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_names(country: str) -> list[str]:
    """Give the zones a form offers, the country's own first."""
    zone = zone_of(country)
    return ["UTC"] if zone is None else [zone.key, "UTC"]


def read_wall(text: str, zone: str, country: str) -> str:
    """Give the instant that a form's date-and-time field means, as RFC 3339.

    Raises:
        ValueError: it is no date and time.
    """
    at = datetime.fromisoformat(text)
    home = zone_of(country)
    if at.tzinfo is None:
        at = at.replace(tzinfo=home if home is not None and zone == home.key else UTC)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wall(at: datetime, country: str) -> str:
    """Give an instant as the wall clock of a country tells it; empty where it is not known."""
    zone = zone_of(country)
    return "" if zone is None else at.astimezone(zone).strftime("%d %b %H:%M %Z")

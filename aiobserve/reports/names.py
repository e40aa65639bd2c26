"""Names that were asked for and that nobody knows: refused with those that come closest, and never answered with zero."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from aiobserve.domain.account import Account, Component
from aiobserve.reports.scope import BadScope
from aiobserve.store.read.names import names

NAMED = ("team", "project", "model", "site", "job", "job_name", "workload_type")
WORDS = {
    "account": tuple(one.label for one in Account),
    "component": tuple(one.label for one in Component),
    "is_correction": ("true", "false"),
}
# How many names a person can take in.
FEW = 8


class UnknownName(BadScope):
    """Nothing is called so; the message names what comes closest."""


def check_name(what: str, value: str, known: Collection[str]) -> None:
    """Refuse a name that is none of those that are known.

    Raises:
        UnknownName: the message gives the known ones, those that come closest first.
    """
    if value not in known:
        raise UnknownName(f"no {what} {value[:80]!r}; {listed(value, known)}")


def check_filters(organisation_id: int, filters: Mapping[str, Sequence[str]]) -> None:
    """Refuse a filter by a name that the organisation does not know; the empty one is what no name bears.

    Raises:
        UnknownName: a value is none of its dimension's.
    """
    for dimension, values in filters.items():
        asked = [value for value in values if value]
        if not asked or dimension not in (*NAMED, *WORDS):
            continue
        known = WORDS.get(dimension) or names(organisation_id, dimension)
        for value in asked:
            check_name(dimension, value, known)


def listed(value: str, known: Collection[str]) -> str:
    """Return the known names in words, those closest to a value first, and how many there are beyond a few."""
    folded = {name.casefold(): name for name in sorted(known)}
    close = [folded[one] for one in get_close_matches(value.casefold(), list(folded), n=FEW, cutoff=0.5)]
    shown = list(dict.fromkeys([*close, *sorted(known)]))[:FEW]
    if not shown:
        return "none is known yet"
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"there are: {', '.join(shown)}{more}"

"""The choice of who bears idle capacity and overhead, and the ledger's windows shared out by it."""

from decimal import Decimal, InvalidOperation
from functools import lru_cache

import numpy as np
import pandas as pd

from aiobserve.attribution.share_out import (
    IDLE_POLICIES,
    MILLE,
    OVERHEAD_POLICIES,
    SEPARATE,
    Labels,
    SharedPool,
    Sharing,
    share_out,
)
from aiobserve.domain.account import MEASURES
from aiobserve.domain.window import Span
from aiobserve.store.read.labels import declared_pools, labels
from aiobserve.store.read.ledger_frame import books_state, window_sums

__all__ = [
    "IDLE_POLICIES",
    "OVERHEAD_POLICIES",
    "BadSharing",
    "Sharing",
    "described",
    "in_words",
    "shared_windows",
    "sharing_of",
]

JOB_COLUMNS = ("job_name", "workload_type")


class BadSharing(ValueError):
    """A policy for idle or overhead is unknown; the message says which there are."""


def sharing_of(idle: str | None = None, overhead: str | None = None, utilisation_floor: str | None = None) -> Sharing:
    """Return the choice that texts from a query string or command line name; nothing is shared by default.

    Args:
        utilisation_floor: a share of the fleet, 0.8 or 80%; only with idle by use or even.

    Raises:
        BadSharing: a text cannot be understood, or the texts do not go together.
    """
    chosen = Sharing(idle or SEPARATE, overhead or SEPARATE, _floor(utilisation_floor))
    for name, value, known in (
        ("idle", chosen.idle, IDLE_POLICIES),
        ("overhead", chosen.overhead, OVERHEAD_POLICIES),
    ):
        if value not in known:
            raise BadSharing(f"{name}={value!r} is no policy; choose from {', '.join(known)}")
    if chosen.floor_millis is not None and chosen.idle not in ("by_use", "even"):
        raise BadSharing(f"utilisation_floor goes with idle=by_use or idle=even, not with idle={chosen.idle}")
    return chosen


def described(sharing: Sharing) -> dict[str, str | None]:
    """Return the choice in the words of a query; the floor as a share of the fleet."""
    floor = None if sharing.floor_millis is None else str((Decimal(sharing.floor_millis) / MILLE).normalize())
    return {"idle": sharing.idle, "overhead": sharing.overhead, "utilisation_floor": floor}


def in_words(sharing: Sharing) -> str:
    """Return who bears idle and overhead as a sentence; empty when both stand apart."""
    if not sharing.shares:
        return ""
    floor = described(sharing)["utilisation_floor"]
    limit = f", as if {Decimal(str(floor)):.1%} of the fleet were used" if floor else ""
    return f"Here {IDLE_POLICIES[sharing.idle]}{limit}; {OVERHEAD_POLICIES[sharing.overhead]}."


def _floor(text: str | None) -> int | None:
    if not text:
        return None
    try:
        share = Decimal(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        millis = share * MILLE
        if not millis.is_finite() or not 0 < millis <= MILLE or millis != int(millis):
            raise InvalidOperation
    except InvalidOperation as error:
        raise BadSharing(
            f"utilisation_floor={text[:40]!r} must lie above 0 and at most 1, with three places: 0.8 or 80%"
        ) from error
    return int(millis)


def shared_windows(organisation_id: int, span: Span, sharing: Sharing) -> pd.DataFrame:
    """Return the charged sums of each window and job, with idle and overhead borne as chosen; columns as `window_sums`.

    The frame is kept for the next question of the same page, as long as nothing was posted: callers do not change it.
    """
    pools = tuple(SharedPool(*row) for row in declared_pools(organisation_id))
    restricted = sharing.overhead != SEPARATE and any(pool.label for pool in pools)
    carried = labels(organisation_id) if restricted else {}
    frozen = tuple((kind, tuple(sorted(names.items()))) for kind, names in sorted(carried.items()))
    return _shared(organisation_id, span, sharing, pools, frozen, books_state(organisation_id))


@lru_cache(maxsize=4)
def _shared(
    organisation_id: int,
    span: Span,
    sharing: Sharing,
    pools: tuple[SharedPool, ...],
    carried: tuple[tuple[str, tuple[tuple[str, frozenset[str]], ...]], ...],
    books: tuple[int, int],
) -> pd.DataFrame:
    rows = window_sums(organisation_id, span)
    of_job = list(JOB_COLUMNS)
    jobs = rows[["job", *of_job]].drop_duplicates("job").set_index("job")
    found = share_out(
        rows.drop(columns=of_job),
        sharing,
        amounts=MEASURES,
        pools=pools,
        labels=Labels({kind: dict(names) for kind, names in carried}),
    )
    return found.assign(**{name: jobs[name].reindex(found["job"]).fillna("").to_numpy() for name in of_job})


def local_texts(bucket_s: "pd.Series[int]", timezone: str, form: str) -> "pd.Series[str]":
    """Return windows as civil time in a zone by a form of `strftime`; an hour that clocks repeat counts once, as in the ledger."""
    distinct = bucket_s.unique()
    at = pd.to_datetime(distinct.astype(np.int64), unit="s", utc=True).tz_convert(timezone)
    return bucket_s.map(dict(zip(distinct.tolist(), at.strftime(form), strict=True)))

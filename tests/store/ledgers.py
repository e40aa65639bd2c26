"""What the tests of the ledger share: sums of what stands, and small batches of one kind each. Not a test."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
from django.db import connection

from aiobserve.domain import frames
from aiobserve.domain.account import MEASURES
from aiobserve.domain.quality import Quality
from aiobserve.domain.window import Span
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import Swept, attribute_due
from aiobserve.store.write.organisation import ensure_organisation
from collectors.base import Batch
from tests.worlds import World, at, frame

LATER_AT = at(24 * 40)
Sums = dict[tuple[object, ...], tuple[int, ...]]


@dataclass
class Piece:
    """A batch of some frames and nothing else."""

    name: str
    contents: dict[str, pd.DataFrame] = field(default_factory=dict)

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        yield Batch(source=self.name, batch_id="piece", frames=self.contents, rejections=())


def telemetry(name: str, samples: pd.DataFrame) -> Piece:
    return Piece(name, {"telemetry": frames.TELEMETRY.check(samples)})


def price(name: str, usd_per_mwh: float, *, start: float, end: float, source: str = "test") -> Piece:
    row = {
        "kind": "electricity_usd_per_mwh", "scope": "Z", "source": source, "start_at": at(start), "end_at": at(end),
        "value": usd_per_mwh, "quality": int(Quality.MEASURED),
    }  # fmt: skip
    return Piece(name, {"signals": frame(frames.SIGNALS, row)})


def holding(name: str, *, start: float, end: float, device: str = "busy_gpu", team_account: str = "nlp") -> Piece:
    world = World().job(name, start=start, end=end, device=device, account=team_account)
    return Piece(
        name, {"jobs": frame(frames.JOBS, *world.jobs), "intervals": frame(frames.INTERVALS, *world.intervals)}
    )


def without(world: World, *, signals: tuple[str, ...] = ()) -> Piece:
    """Return everything of a world but its telemetry and some kinds of signal."""
    contents = dict(next(iter(world.collect())).frames)
    contents.pop("telemetry", None)
    contents["signals"] = contents["signals"][~contents["signals"]["kind"].isin(signals)]
    return Piece(world.name, contents)


def run(slug: str, *pieces: World | Piece, now_at: datetime = LATER_AT) -> Swept:
    """Collect pieces and attribute what is due."""
    return attribute_due(collected(slug, *pieces, now_at=now_at), now_at=now_at)


def collected(slug: str, *pieces: World | Piece, now_at: datetime = LATER_AT) -> int:
    """Collect pieces and leave it at that; returns the organisation's id."""
    organisation_id = ensure_organisation(slug, name=slug)
    for piece in pieces:
        collect(organisation_id, piece, now_at=now_at)  # type: ignore[arg-type]
    return organisation_id


def incurred(slug: str) -> Sums:
    """Return what the ledger comes to by the window in which it was incurred, and by names; zero sums are left out."""
    return _sums(slug, "coalesce(posting.corrects_window_start_at, posting.window_start_at)")


def booked(slug: str) -> Sums:
    """Return what the ledger comes to by the window in which it is booked."""
    return _sums(slug, "posting.window_start_at")


def _sums(slug: str, window: str) -> Sums:
    measures = ", ".join(f"sum({name})::bigint" for name in MEASURES)
    worth = " OR ".join(f"sum({name}) <> 0" for name in MEASURES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {window}, posting.account, component, team.name, project.name, ai_model.name, job.key, energy_quality,
                       carbon_quality, cost_quality, {measures}
                FROM posting JOIN organisation ON organisation.id = posting.organisation_id
                LEFT JOIN team ON team.id = team_id LEFT JOIN project ON project.id = project_id
                LEFT JOIN ai_model ON ai_model.id = posting.model_id LEFT JOIN job ON job.id = posting.job_id
                WHERE organisation.slug = %s GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 HAVING {worth}""",
            [slug],
        )
        return {tuple(row[:10]): tuple(row[10:]) for row in cursor.fetchall()}

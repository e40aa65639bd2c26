"""Wall power of 8-GPU servers under MLPerf inference load, once a second (MLCommons inference v1.0, Apache-2.0).

It becomes a power model, watts per GPU busy and idle, for jobs whose power nobody measured.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from collectors.base import SourceGarbled
from collectors.traces.files import load, numbers, out_of_time, require, utc

POWER_COLUMNS = ("system", "benchmark", "scenario", "ts_local", "watts")
RUN_COLUMNS = ("system", "benchmark", "scenario", "n_gpus", "power_begin", "power_end")
# Between runs a server rests at about the lowest power that the log shows; the lowest percentile leaves out glitches.
IDLE_PERCENTILE = 0.01
# No server with this many GPUs at most draws more at the wall.
MOST_GPUS, LIMIT_W = 256, 500_000


@dataclass(frozen=True)
class PowerModel:
    """Wall watts of a server per GPU: busy (mean over the measured windows) and idle (between them); estimated."""

    system: str
    active_w: float
    idle_w: float
    samples: int
    rejected: int


def read_power_model(power_path: Path, runs_path: Path) -> PowerModel:
    """Return the power model of the one system in a power log.

    Raises:
        SourceUnavailable, SourceGarbled: a file is missing, is something else, or holds no measured window.
    """
    power = require(load(power_path), POWER_COLUMNS, path=power_path, what="MLPerf power")
    runs = require(load(runs_path), RUN_COLUMNS, path=runs_path, what="MLPerf runs")
    systems = sorted(power["system"].dropna().unique())
    if len(systems) != 1:
        raise SourceGarbled(f"{power_path}: {len(systems)} systems in one power log; give a log of one")
    own = runs[runs["system"] == systems[0]]
    if own.empty:
        raise SourceGarbled(f"{runs_path}: has no run of {systems[0]}, whose power is in {power_path}")
    return power_model(power, own, system=str(systems[0]))


def power_model(power: pd.DataFrame, runs: pd.DataFrame, *, system: str) -> PowerModel:
    """Return the model from samples and runs; a measurement that is listed under two names counts once."""
    watts, at = numbers(power["watts"]), utc(power["ts_local"])
    usable = watts.between(0, LIMIT_W, inclusive="neither") & ~out_of_time(at) & ~at.duplicated()
    watts, at = watts[usable], at[usable]
    measured = pd.Series(False, index=watts.index)
    windows = pd.DataFrame({"from": utc(runs["power_begin"]), "to": utc(runs["power_end"])}).dropna().drop_duplicates()
    for begin_at, end_at in windows.itertuples(index=False):
        measured |= at.between(begin_at, end_at)
    if not measured.any() or measured.all():
        raise SourceGarbled(
            f"{system}: the power log has no samples {'inside' if not measured.any() else 'outside'} its runs"
        )
    gpus = float(numbers(runs["n_gpus"]).iloc[0])
    if not 1 <= gpus <= MOST_GPUS:
        raise SourceGarbled(f"{system}: n_gpus={gpus:g} in its first run; a server has 1 to {MOST_GPUS}")
    return PowerModel(
        system=system,
        active_w=float(watts[measured].mean() / gpus),
        idle_w=float(watts[~measured].quantile(IDLE_PERCENTILE) / gpus),
        samples=int(usable.sum()),
        rejected=int((~usable).sum()),
    )

"""Doubt is split like energy, also where there is doubt and no energy."""

import numpy as np

from aiobserve.attribution.engine import attribute
from aiobserve.domain.account import Account
from aiobserve.ledger.post import postings
from tests.pure.attribution.sites import SPAN_S, devices, site

# A counter that stands still at 900 mJ and restarts at nought between seconds 900 and 960: no energy, and a minute of doubt.
RESTARTED = [(s, 900.0) for s in range(-60, 901, 60)] + [(s, 0.0) for s in range(960, SPAN_S + 61, 60)]
MINUTE_AT_700_W = 700 * 60 * 1_000


def test_doubt_about_a_device_that_drew_nothing_goes_by_time_held() -> None:
    charges = attribute(site([RESTARTED], [(0, 1, 0, SPAN_S, 750), (0, 2, 0, SPAN_S, 250)])).charges

    jobs = charges[charges["kind"] == Account.JOB].groupby("claimant")[["energy_millij", "energy_error_millij"]].sum()
    assert jobs["energy_millij"].tolist() == [0, 0]
    assert jobs["energy_error_millij"].tolist() == [MINUTE_AT_700_W * 3 // 4, MINUTE_AT_700_W // 4]


def test_doubt_about_a_device_that_is_gone_is_nobodys() -> None:
    found = attribute(site([RESTARTED], [], devices=devices(1, valid_to_s=np.array([600]))))

    assert postings(found.charges, found.metered)["energy_error_millij"].tolist() == [0, 0]


def test_a_model_of_nought_watts_still_says_how_far_off_it_may_be() -> None:
    unpowered = devices(1, idle_w=np.zeros(1), active_w=np.zeros(1))

    charges = attribute(site([None], [(0, 1, 0, SPAN_S, 500), (0, 2, 0, SPAN_S, 500)], devices=unpowered)).charges

    jobs = charges[charges["kind"] == Account.JOB].groupby("claimant")["energy_error_millij"].sum()
    assert jobs.tolist() == [700 * SPAN_S * 1_000 // 2] * 2

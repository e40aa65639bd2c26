"""Sharing idle and overhead out: nothing is gained or lost, and small cases that can be checked in the head."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.share_out import (
    IDLE_POLICIES,
    OVERHEAD_POLICIES,
    SHARED_BY,
    Labels,
    SharedPool,
    Sharing,
    share_out,
)
from aiobserve.domain.account import MEASURES, Account, Component
from tests.examples import examples

KEYS = ("bucket", "site", "account", "component", "pool_id", "team", "project", "model", "job")


def row(account: Account, *, team: str = "", bucket: int = 0, component: Component = Component.GPU, pool_id: int = -1,
        project: str = "", model: str = "", job: str = "", **amounts: int) -> dict[str, object]:  # fmt: skip
    keys = dict(zip(KEYS, (bucket, "lab", account, component, pool_id, team, project, model, job), strict=True))
    return {**keys, **dict.fromkeys(MEASURES, 0), **amounts}


def shared(rows: list[dict[str, object]], sharing: Sharing, **more: object) -> pd.DataFrame:
    return share_out(pd.DataFrame(rows), sharing, amounts=MEASURES, **more)  # type: ignore[arg-type]


def cost_by(rows: pd.DataFrame, *by: str) -> dict[object, int]:
    return {
        key: amount
        for key, amount in rows.groupby(list(by) if len(by) > 1 else by[0])["capacity_microusd"].sum().items()
        if amount
    }


# NLP used three GPU-hours and Vision one; two were idle, one of them reserved by Vision; ten units of rent for each.
BUSY = [
    row(
        Account.JOB,
        team="NLP",
        project="chat",
        model="llm",
        job="a",
        gpu_millis=3_000,
        energy_millij=100,
        capacity_microusd=30,
    ),
    row(
        Account.JOB,
        team="Vision",
        project="eye",
        model="vit",
        job="b",
        gpu_millis=1_000,
        energy_millij=300,
        capacity_microusd=10,
    ),
    row(Account.IDLE, gpu_millis=1_000, capacity_microusd=10),
    row(Account.IDLE, team="Vision", gpu_millis=1_000, capacity_microusd=10),
    row(Account.OVERHEAD, component=Component.FACILITY, electricity_microusd=0, capacity_microusd=8),
]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("separate", {"NLP": 30, "Vision": 10, "": 28}),
        ("reserver", {"NLP": 30, "Vision": 20, "": 18}),
        ("by_use", {"NLP": 30 + 15, "Vision": 10 + 5, "": 8}),
        ("even", {"NLP": 30 + 10, "Vision": 10 + 10, "": 8}),
    ],
)
def test_each_idle_policy_says_who_bears_the_idle_gpus(policy: str, expected: dict[str, int]) -> None:
    assert cost_by(shared(BUSY, Sharing(idle=policy)), "team") == expected


def test_what_was_idle_can_still_be_seen_when_a_team_bears_it() -> None:
    assert cost_by(shared(BUSY, Sharing(idle="by_use", overhead="shared")), "account") == {
        Account.JOB: 40, Account.IDLE: 20, Account.OVERHEAD: 8,
    }  # fmt: skip


def test_power_and_cooling_go_by_energy_when_nobody_declared_a_key() -> None:
    assert cost_by(shared(BUSY, Sharing(overhead="shared")), "team") == {"NLP": 30 + 2, "Vision": 10 + 6, "": 20}


@pytest.mark.parametrize(
    ("shared_by", "label", "expected"),
    [
        ("gpu_hours", "", {"NLP": 36, "Vision": 12}),
        ("energy", "", {"NLP": 32, "Vision": 16}),
        ("even", "", {"NLP": 34, "Vision": 14}),
        ("label", "uses-storage", {"NLP": 30, "Vision": 18}),
        ("energy", "uses-storage", {"NLP": 30, "Vision": 18}),
        ("energy", "team=NLP", {"NLP": 38, "Vision": 10}),
        ("label", "nobody-has-it", {"NLP": 30, "Vision": 10, "": 8}),
    ],
)
def test_a_pool_goes_by_its_declared_key(shared_by: str, label: str, expected: dict[str, int]) -> None:
    rows = [*BUSY[:2], row(Account.OVERHEAD, component=Component.STORAGE, pool_id=7, capacity_microusd=8)]
    pool = SharedPool(7, "lustre", Component.STORAGE, shared_by, label)
    labels = Labels({"model": {"vit": frozenset({"uses-storage"})}})

    assert cost_by(shared(rows, Sharing(overhead="shared"), pools=[pool], labels=labels), "team") == expected


def test_where_nobody_was_active_idle_stays_apart_and_visible() -> None:
    rows = [*BUSY, row(Account.IDLE, bucket=1, gpu_millis=4_000, capacity_microusd=40)]

    after = shared(rows, Sharing(idle="by_use"))

    assert cost_by(after[after["bucket"] == 1], "account", "team") == {(Account.IDLE, ""): 40}


def test_users_bear_idle_only_up_to_the_utilisation_floor() -> None:
    # 4 GPU-hours used at a floor of 80 % is a fleet of five: they bear one idle GPU-hour of the two, ten units.
    after = shared(BUSY, Sharing(idle="by_use", floor_millis=800))

    assert cost_by(after, "team") == {"NLP": 30 + 8, "Vision": 10 + 2, "": 10 + 8}


def test_a_team_s_part_goes_to_its_jobs_by_gpu_time() -> None:
    rows = [
        *BUSY,
        row(Account.JOB, team="NLP", project="chat", model="llm", job="c", gpu_millis=1_000, capacity_microusd=10),
    ]

    after = shared(rows, Sharing(idle="even"))

    assert cost_by(after[after["account"] == Account.IDLE], "team", "job") == {
        ("NLP", "a"): 8, ("NLP", "c"): 2, ("Vision", "b"): 10,
    }  # fmt: skip


def test_a_team_bears_the_same_whether_or_not_its_jobs_are_told_apart() -> None:
    coarse = [{name: value for name, value in one.items() if name not in ("project", "model", "job")} for one in BUSY]

    for idle in IDLE_POLICIES:
        sharing = Sharing(idle=idle, overhead="shared")
        assert cost_by(shared(coarse, sharing), "team") == cost_by(shared(BUSY, sharing), "team")


names = st.sampled_from(["", "A", "B", "C"])
random_rows = st.lists(
    st.builds(
        lambda account, component, team, bucket, pool, job, amounts: row(
            account, team="A" if account == Account.JOB and not team else team, bucket=bucket, component=component,
            pool_id=pool, model=f"m{job}", job=f"j{job}", **dict(zip(MEASURES, amounts, strict=True)),
        ),
        st.sampled_from([Account.JOB, Account.IDLE, Account.OVERHEAD, Account.UNATTRIBUTED]),
        st.sampled_from(list(Component)), names, st.integers(0, 2), st.sampled_from([-1, 1, 2, 3, 4]), st.integers(0, 2),
        st.lists(st.integers(-(10**9), 10**12), min_size=len(MEASURES), max_size=len(MEASURES)),
    ),
    min_size=1, max_size=14,
)  # fmt: skip
sharings = st.builds(
    Sharing, idle=st.sampled_from(list(IDLE_POLICIES)), overhead=st.sampled_from(list(OVERHEAD_POLICIES)),
    floor_millis=st.sampled_from([None, 1, 500, 800, 999, 1000]),
)  # fmt: skip
POOLS = [
    SharedPool(n + 1, key, Component.STORAGE, key, "gold" if key == "label" else "") for n, key in enumerate(SHARED_BY)
]
LABELS = Labels({"team": {"B": frozenset({"gold"})}, "job": {"j1": frozenset({"gold"})}})


@settings(max_examples=examples(25), deadline=None)
@given(rows=random_rows, sharing=sharings, seed=st.randoms(use_true_random=False))
def test_every_policy_conserves_every_measure_in_each_bucket_in_any_order(
    rows: list[dict[str, object]], sharing: Sharing, seed: object
) -> None:
    before = pd.DataFrame(rows)
    after = shared(rows, sharing, pools=POOLS, labels=LABELS)
    seed.shuffle(rows)  # type: ignore[attr-defined]
    again = shared(rows, sharing, pools=POOLS, labels=LABELS)

    for by in (["bucket"], ["bucket", "site", "account", "component", "pool_id"]):
        pd.testing.assert_frame_equal(
            before.groupby(by)[list(MEASURES)].sum(), after.groupby(by)[list(MEASURES)].sum(), check_dtype=False
        )
    pd.testing.assert_frame_equal(after, again)


@settings(max_examples=examples(15), deadline=None)
@given(rows=random_rows, sharing=sharings)
def test_no_team_is_charged_a_negative_part_of_a_positive_amount(
    rows: list[dict[str, object]], sharing: Sharing
) -> None:
    positive = [{name: abs(value) if name in MEASURES else value for name, value in one.items()} for one in rows]  # type: ignore[arg-type]

    assert (shared(positive, sharing, pools=POOLS, labels=LABELS)[list(MEASURES)] >= 0).all().all()

"""Time cut where somebody comes or goes, and who held how much of each piece."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.occupancy import Holdings, capacity_millis, holdings
from aiobserve.attribution.segments import Segments, cut
from tests.pure.attribution.sites import EDGE_S, SPAN_S, reservations

Held = list[tuple[int, int, int, int, int]]


def spans(held: Held, devices: int = 1) -> list[tuple[int, int, int, int]]:
    """Return (device, window, start, end) of every segment that is no whole window."""
    found = cut(reservations(held), EDGE_S, devices)
    pieces = zip(found.device, found.window, found.start_s, found.end_s, strict=True)
    return [(int(d), int(w), int(a), int(b)) for d, w, a, b in pieces if b - a != 900]


def held_by(held: Held, *, share_millis: int = 1000, there: tuple[int, int] = (-(10**9), 10**9)) -> dict[int, int]:
    """Return the GPU time of each claimant of one device."""
    segments, found, _ = occupied(held, 1, share_millis, there)
    assert (np.diff(found.segment[found.alone :]) >= 0).all()
    sums: dict[int, int] = {}
    for claimant, millis in zip(found.claimant.tolist(), found.gpu_millis.tolist(), strict=True):
        sums[claimant] = sums.get(claimant, 0) + millis
    return sums


def occupied(
    held: Held, devices: int, share_millis: int = 1000, there: tuple[int, int] = (-(10**9), 10**9)
) -> tuple[Segments, Holdings, np.ndarray]:
    segments = cut(reservations(held), EDGE_S, devices)
    bounds = [np.full(devices, bound) for bound in there]
    capacity = capacity_millis(segments, *bounds, np.full(devices, share_millis))
    return segments, holdings(reservations(held), segments, capacity), capacity


def test_without_anybody_segments_are_windows() -> None:
    segments = cut(reservations([]), EDGE_S, 2)

    assert segments.device.tolist() == [0] * 4 + [1] * 4
    assert segments.start_s.tolist() == [0, 900, 1_800, 2_700] * 2
    assert segments.window.tolist() == [0, 1, 2, 3] * 2


def test_a_window_is_cut_where_somebody_comes_and_goes() -> None:
    assert spans([(1, 7, 100, 400, 1000)], devices=3) == [(1, 0, 0, 100), (1, 0, 100, 400), (1, 0, 400, 900)]


def test_an_edge_on_a_window_or_outside_cuts_nothing() -> None:
    assert spans([(0, 7, -50, 900, 1000), (0, 8, 900, SPAN_S + 50, 1000)]) == []


def test_jobs_that_overlap_cut_each_others_time() -> None:
    assert spans([(0, 1, 100, 500, 500), (0, 2, 300, 900, 500)]) == [
        (0, 0, 0, 100), (0, 0, 100, 300), (0, 0, 300, 500), (0, 0, 500, 900),
    ]  # fmt: skip


def test_a_hold_of_no_length_holds_nothing() -> None:
    assert held_by([(0, 1, 300, 300, 1000), (0, 2, 500, 400, 1000)]) == {}


def test_a_hold_counts_by_share_and_second() -> None:
    assert held_by([(0, 1, 0, 1_000, 250), (0, 2, 0, 10, 1)]) == {1: 250_000, 2: 10}


def test_an_overbooked_second_is_scaled_down_and_others_are_not() -> None:
    # Alone for 450 s; then three claims of a whole GPU on one for 450 s.
    held = [(0, 1, 0, 900, 1000), (0, 2, 450, 900, 1000), (0, 3, 450, 900, 1000)]

    assert held_by(held) == {1: 450_000 + 150_000, 2: 150_000, 3: 150_000}


def test_more_than_a_device_is_no_more_than_the_device() -> None:
    assert held_by([(0, 1, 0, 900, 4000)]) == {1: 900_000}


def test_what_a_device_did_not_offer_cannot_be_held() -> None:
    assert held_by([(0, 1, 0, 900, 1000)], there=(600, 10**9)) == {1: 300_000}
    assert held_by([(0, 1, 0, 900, 1000)], there=(900, 10**9)) == {}


def test_pieces_of_one_job_are_one_holding() -> None:
    _, found, _ = occupied([(0, 1, 0, 900, 300), (0, 1, 0, 900, 200), (0, 2, 0, 900, 500)], 1)

    assert (found.claimant.tolist(), found.gpu_millis.tolist()) == ([1, 2], [450_000, 450_000])


HOLDS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(-100, 4_000), st.integers(-100, 4_000), st.integers(1, 2_000)),
    max_size=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(held=HOLDS)
def test_segments_tile_each_window_and_nobody_comes_or_goes_inside_one(held: Held) -> None:
    segments = cut(reservations(held), EDGE_S, 3)

    for device in range(3):
        mine = segments.device == device
        starts, ends = segments.start_s[mine], segments.end_s[mine]
        assert (starts[0], ends[-1]) == (0, SPAN_S)
        assert (starts[1:] == ends[:-1]).all() and (ends > starts).all()
        assert (starts // 900 == segments.window[mine]).all() and ((ends - 1) // 900 == segments.window[mine]).all()
        for at_s in (at for d, _, a, b, _ in held for at in (a, b) if d == device):
            assert not ((starts < at_s) & (at_s < ends)).any()


@settings(max_examples=200, deadline=None)
@given(held=HOLDS)
def test_what_is_held_is_never_more_than_there_is_and_all_of_it_where_it_fits(held: Held) -> None:
    segments, found, capacity = occupied(held, 3)

    by_segment = np.bincount(found.segment, weights=found.gpu_millis, minlength=len(capacity))
    asked = np.zeros(len(capacity))
    for device, _, start_s, end_s, share in held:
        inside = (segments.device == device) & (segments.start_s >= start_s) & (segments.end_s <= end_s)
        asked += inside * share * segments.duration_s
    assert (by_segment == np.minimum(asked, capacity)).all()
    assert (found.gpu_millis >= 0).all()

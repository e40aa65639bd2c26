"""Parts of a GPU in thousandths: those that fill it sum to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.domain.shares import BadShare, mig_millis, part_millis, percent_millis, time_slice_millis

SIZES = (1, 2, 3, 4, 7)


def filled(layout: list[int], slices: int = 7) -> list[int]:
    """Return the thousandths of MIG instances of these sizes, one after the other."""
    return [mig_millis(f"{size}g.10gb", placement=sum(layout[:i]), slices=slices) for i, size in enumerate(layout)]


def test_seven_slices_make_a_whole_gpu() -> None:
    assert filled([1] * 7) == [143, 143, 143, 142, 143, 143, 143]
    assert sum(filled([1] * 7)) == 1000


@pytest.mark.parametrize(
    ("layout", "slices", "millis"),
    [([7], 7, [1000]), ([4, 3], 7, [571, 429]), ([1, 2, 4], 7, [143, 286, 571]), ([1, 1, 2], 4, [250, 250, 500])],
)
def test_layouts_that_fill_a_gpu_sum_to_a_thousand(layout: list[int], slices: int, millis: list[int]) -> None:
    assert filled(layout, slices) == millis


@given(layout=st.permutations([*range(1, 8)] * 7).map(lambda sizes: [one for one in sizes if one in SIZES]))
def test_any_layout_that_fills_the_gpu_sums_to_a_thousand(layout: list[int]) -> None:
    fitting: list[int] = []
    for size in layout:
        if sum(fitting) + size <= 7:
            fitting.append(size)

    assert sum(fitting) == 7
    assert sum(filled(fitting)) == 1000


@pytest.mark.parametrize(
    "profile", ["3g.40gb", "3G.40GB", "3g.40gb+me", "3g.40gb+me.all", "3g.40gb+gfx", "3g.40gb-me", "3c.7g.80gb"]
)
def test_a_profile_is_read_however_it_is_written(profile: str) -> None:
    assert mig_millis(profile) == 429


@pytest.mark.parametrize("profile", ["", "whole", "g.10gb", "1g", "1g.10gb;", "1.5g.10gb", "-1g.10gb", "1g.10gb\n"])
def test_what_is_no_profile_is_refused_with_examples(profile: str) -> None:
    with pytest.raises(BadShare, match=r"is no MIG profile; they read like 1g\.10gb"):
        mig_millis(profile)


@pytest.mark.parametrize(("profile", "placement"), [("4g.40gb", 4), ("8g.80gb", 0), ("0g.10gb", 0), ("1g.10gb", -1)])
def test_an_instance_that_does_not_fit_is_refused(profile: str, placement: int) -> None:
    with pytest.raises(BadShare, match="of 7: give 0 <= first < last <= parts"):
        mig_millis(profile, placement=placement)


def test_four_pods_of_a_quarter_make_one_gpu() -> None:
    assert [percent_millis(25)] * 4 == [250] * 4


def test_whoever_takes_all_memory_takes_the_gpu() -> None:
    assert percent_millis(25, memory_percent=100) == 1000
    assert percent_millis(25, memory_percent=10) == 250


@pytest.mark.parametrize(
    ("cores", "memory", "named"), [(101, 0, "compute of 101"), (25, -1, "memory of -1"), (float("nan"), 0, "nan")]
)
def test_a_percentage_that_no_gpu_has_is_refused(cores: float, memory: float, named: str) -> None:
    with pytest.raises(BadShare, match=named):
        percent_millis(cores, memory)


@pytest.mark.parametrize(("index", "replicas"), [(4, 4), (-1, 4), (0, 0)])
def test_a_replica_that_is_not_there_is_refused(index: int, replicas: int) -> None:
    with pytest.raises(BadShare):
        time_slice_millis(index, replicas)


@given(parts=st.integers(1, 1000))
def test_replicas_and_shards_of_a_gpu_sum_to_it_and_differ_by_one_at_most(parts: int) -> None:
    millis = [time_slice_millis(index, parts) for index in range(parts)]

    assert sum(millis) == 1000
    assert max(millis) - min(millis) <= 1


@given(parts=st.integers(1, 64), cuts=st.lists(st.integers(0, 64), max_size=8))
def test_neighbouring_parts_sum_to_their_union(parts: int, cuts: list[int]) -> None:
    edges = sorted({0, parts, *(one for one in cuts if one < parts)})

    assert sum(part_millis(a, b, parts) for a, b in zip(edges, edges[1:], strict=False)) == 1000

import pandas as pd

from aiobserve.ledger.revise import OPEN, Closed, booking_window, revise

MARCH = Closed(7, 0, 9000)
NOW_S = 90_000


def standing(*rows: tuple[int, int, int]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["window_start_s", "digest", "booked_s"])
    return frame.astype({"window_start_s": "int64", "digest": "Int64", "booked_s": "int64"})


def digests(**by_window: int) -> "pd.Series[int]":
    index = pd.Index([int(name[1:]) for name in by_window], name="window_start_s", dtype="int64")
    return pd.Series(list(by_window.values()), index=index, dtype="int64")


def touched(new: "pd.Series[int]", old: pd.DataFrame, *closed: Closed) -> list[tuple[object, ...]]:
    rows = revise(new, old, closed, booking_s=NOW_S)
    columns = ["window_start_s", "period", "reverse", "post", "booked_s"]
    return [tuple(row) for row in rows[columns].itertuples(index=False)]


def test_what_comes_to_the_same_is_left_alone() -> None:
    assert touched(digests(w0=1, w900=2), standing((0, 1, 0), (900, 2, 900))) == []


def test_a_window_that_differs_is_reversed_and_posted_and_a_new_one_is_posted() -> None:
    assert touched(digests(w0=1, w900=5, w1800=3), standing((0, 1, 0), (900, 2, 900))) == [
        (900, OPEN, True, True, 900),
        (1800, OPEN, False, True, 1800),
    ]


def test_a_window_that_comes_to_nothing_is_reversed_only() -> None:
    assert touched(digests(w0=1), standing((0, 1, 0), (900, 2, 900))) == [(900, OPEN, True, False, 900)]


def test_a_window_of_a_closed_period_is_booked_in_the_present() -> None:
    assert touched(digests(w900=5, w9000=6), standing((900, 2, 900), (9000, 2, 9000)), MARCH) == [
        (900, 7, True, True, NOW_S),
        (9000, OPEN, True, True, 9000),
    ]


def test_a_closed_window_that_comes_to_nothing_is_stated_so_that_it_can_be_corrected_again() -> None:
    assert touched(digests(), standing((900, 2, 900)), MARCH) == [(900, 7, True, True, NOW_S)]
    assert touched(digests(), standing((900, 0, NOW_S)), MARCH) == []


def test_a_correction_moves_back_once_its_period_is_open_again() -> None:
    assert touched(digests(w900=5), standing((900, 5, NOW_S)), MARCH) == []
    assert touched(digests(w900=5), standing((900, 5, NOW_S))) == [(900, OPEN, True, True, 900)]


def test_a_window_of_an_unknown_digest_is_posted_anew() -> None:
    old = standing((900, 5, 900)).assign(digest=pd.array([pd.NA], dtype="Int64"))

    assert touched(digests(w900=5), old) == [(900, OPEN, True, True, 900)]


def test_corrections_are_booked_in_the_first_window_that_is_open() -> None:
    assert booking_window(1_000, []) == 900
    assert booking_window(1_000, [MARCH, Closed(8, 9000, 18_000)]) == 18_000

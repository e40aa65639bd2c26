"""The pieces in which a job runs: (first, end) of each in whole steps, in order and apart."""

Spans = list[tuple[int, int]]


def add(spans: Spans, first: int, end: int) -> None:
    """Append a piece, joined to the one before when they touch; an empty one is left out."""
    if first >= end:
        return
    if spans and spans[-1][1] == first:
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((first, end))

"""How a figure came about. It travels with the figure to every report."""

from enum import IntEnum


class Quality(IntEnum):
    """Ordered from best to worst, so the worst of several inputs is their maximum."""

    MEASURED = 1
    ESTIMATED = 2
    ASSUMED = 3

    @property
    def label(self) -> str:
        """Return the word that reports print."""
        return self.name.lower()

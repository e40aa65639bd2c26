"""A whole fleet that needs no hardware: for the demo, tests and screenshots. Marked as simulated everywhere."""

from collectors.simulated.collector import SimulatedFleet
from collectors.simulated.company import NOW_AT, ORGANISATION, SEED, SLUG, SPAN

__all__ = ["NOW_AT", "ORGANISATION", "SEED", "SLUG", "SPAN", "SimulatedFleet"]

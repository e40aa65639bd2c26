"""Policies: what a unit of energy is worth in each slot. One a file; this is the list."""

from scheduler.policy.base import Policy
from scheduler.policy.blended import blended
from scheduler.policy.cheapest_window import CHEAPEST_WINDOW
from scheduler.policy.lowest_carbon import LOWEST_CARBON
from scheduler.policy.run_now import RUN_NOW

DEFAULT_CARBON_PRICE_USD_PER_T = 80.0

POLICIES = {
    policy.name: policy for policy in (RUN_NOW, CHEAPEST_WINDOW, LOWEST_CARBON, blended(DEFAULT_CARBON_PRICE_USD_PER_T))
}

__all__ = ["DEFAULT_CARBON_PRICE_USD_PER_T", "POLICIES", "Policy", "blended"]

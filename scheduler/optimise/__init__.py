"""The arithmetic of placing contiguous jobs into slots under a capacity, with a proven lower bound."""

"""aiobserve: what AI workloads cost in money, energy and carbon, and what moving them saves."""

__version__ = "0.1.0"

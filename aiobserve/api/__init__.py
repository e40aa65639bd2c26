"""The REST API for finance tooling. Reads through `reports` only."""

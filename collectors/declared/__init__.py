"""What a person declares of an organisation in one TOML file: prices, contracts, pools, commitments, factors, owners."""

from collectors.declared.collector import DeclaredFile

__all__ = ["DeclaredFile"]

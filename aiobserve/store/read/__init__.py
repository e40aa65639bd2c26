"""Everything that is read from the store, as frames and plain values; no model leaves this package."""

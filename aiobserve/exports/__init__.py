"""Files for finance: FOCUS and plain CSV of the ledger, written whole or not at all."""

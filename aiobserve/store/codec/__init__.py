"""Packed telemetry: columns of whole numbers to bytes and back, many chunks at a time. Knows nothing of tables."""

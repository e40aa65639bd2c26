"""The shared words: units, windows, quality, signals and frame schemas. Imports nothing of ours."""

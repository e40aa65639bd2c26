"""The only Django app with models: what is declared in `models/`, read in `read/`, written in `write/`."""

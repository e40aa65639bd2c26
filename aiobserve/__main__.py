"""`python -m aiobserve` is the `aiobserve` command."""

from aiobserve.cli import main

main()

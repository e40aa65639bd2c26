"""The commands of `aiobserve`, one file each. Doors: they parse, call one function and print what it returned."""

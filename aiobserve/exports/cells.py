"""Text in a CSV cell is data: a spreadsheet must not take it for a formula."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def text_cell(text: str) -> str:
    """Return a text that no spreadsheet evaluates; never use it on a number, whose minus sign it would spoil."""
    clean = text.replace("\0", "")
    return f"'{clean}" if clean.lstrip(" ").startswith(FORMULA_STARTS) else clean

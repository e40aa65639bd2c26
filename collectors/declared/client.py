"""Reads the file that a person wrote; returns its text untouched."""

from pathlib import Path

from collectors.base import SourceGarbled, SourceUnavailable

# A declaration of ten thousand entries is about 2 MB; more is some other file.
LARGEST_BYTES = 20_000_000


def read(path: Path) -> str:
    """Return the text of a file.

    Raises:
        SourceUnavailable: it is not there or may not be read.
        SourceGarbled: it is too large, or no UTF-8 text.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise SourceGarbled(f"{path}: {size:,} bytes, {LARGEST_BYTES:,} allowed; split it into several files")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SourceUnavailable(f"{path}: {error.strerror}; give the path of a file that can be read") from error
    except UnicodeDecodeError as error:
        raise SourceGarbled(f"{path}: byte {error.start} is no UTF-8; save the file as UTF-8 text") from error

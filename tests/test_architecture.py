"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
OURS = ("aiobserve", "collectors", "scheduler", "dashboards")
PURE = ("aiobserve/domain", "aiobserve/attribution", "aiobserve/ledger", "scheduler")
# Factors that belong to domain/units.py alone.
FACTORS = {3600, 3.6e6, 86400, 8760, 60 * 60 * 1000}
LONGEST_FILE = 330


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def test_no_conversion_factor_strays_from_units() -> None:
    strays = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(*PURE)
        if path.name != "units.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value in FACTORS
    ]

    assert strays == []


def test_nothing_of_ours_is_imported_inside_a_function() -> None:
    lazy = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(*OURS)
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert lazy == []


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in sources(*OURS)
        if (n := len(path.read_text().splitlines())) > LONGEST_FILE
    }

    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources(*OURS)
        if path.read_text().strip() and not ast.get_docstring(tree(path))
    ]

    assert silent == []


def test_no_code_is_run_from_text_or_pickles() -> None:
    banned = {"eval", "exec", "mark_safe"}
    used = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(*OURS)
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Name) and node.id in banned)
        or (isinstance(node, ast.Import | ast.ImportFrom) and "pickle" in ast.dump(node))
    ]

    assert used == []


def locked() -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for name, number in re.findall(r"^([a-z0-9._-]+)==([^ \\]+)", (ROOT / "requirements.lock").read_text(), re.M):
        found.setdefault(name, []).append(Version(number))
    return found


def floors() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("requirement", floors(), ids=lambda requirement: requirement.name)
def test_no_locked_version_is_below_its_floor(requirement: Requirement) -> None:
    versions = locked().get(requirement.name.lower())

    assert versions, f"{requirement.name} is not in requirements.lock: run `make lock`"
    assert any(one.operator == ">=" for one in requirement.specifier), f"{requirement.name} has no floor"
    assert all(requirement.specifier.contains(one) for one in versions)


def test_what_is_installed_is_what_is_locked() -> None:
    assert Version(version("django")) in locked()["django"]


def test_every_locked_version_has_a_hash_and_no_index_is_named() -> None:
    text = (ROOT / "requirements.lock").read_text()

    assert len(re.findall(r"^[a-z0-9._-]+==", text, re.M)) == len(
        re.findall(r"^[a-z0-9._-]+==[^\n]*\n    --hash=", text, re.M)
    )
    assert "://" not in text and "index-url" not in text


def test_the_repository_names_no_machine() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pattern = re.compile(r"(?<![\w.])/(work|root|home)/\w")
    named = [
        name
        for name in files
        if Path(name).suffix in (".py", ".md", ".toml", ".txt", ".html", ".yaml", "")
        and "vendor" not in name
        and (ROOT / name).exists()
        if pattern.search((ROOT / name).read_text(errors="ignore")) and name != "tests/test_architecture.py"
    ]

    assert named == []


def test_what_the_readme_points_to_is_there() -> None:
    readme = (ROOT / "README.md").read_text()

    for path in re.findall(r"\]\((?!http)([^)#]+)\)", readme):
        assert (ROOT / path).exists(), path

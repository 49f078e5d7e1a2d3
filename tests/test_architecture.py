"""The folders are the architecture: imports point one way, and some libraries have one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("lab", "simulator", "verifier_diary")

# A package may not import these, and what to do instead.
FORBIDDEN = {
    "simulator": {
        "lab": "pass plain values in; lab calls the simulator, never the reverse",
        "verifier_diary": "the simulator loads nothing, so it has nothing for a diary",
    },
    "verifier_diary": {
        "lab": "pass plain values in; lab calls the diary, never the reverse",
        "simulator": "the diary knows programs and logs, not packets",
    },
}
# A library may be imported in these places only, and what to do elsewhere.
HOMES = {
    "click": (
        (
            "lab/cli.py",
            "lab/commands/",
            "lab/site/command_pages.py",
            "verifier_diary/commands.py",
            "verifier_diary/watch_command.py",
        ),
        "return values or raise a LabError, and let the command print",
    ),
    "matplotlib": (("lab/evaluation/figures/",), "call a figure of lab.evaluation.figures"),
    "textual": (("verifier_diary/browser/",), "call verifier_diary.browser"),
    "cffi": (("lab/libbpf/",), "call lab.libbpf, the one door to bpf()"),
    "bcc": (("verifier_diary/", "lab/evaluation/bench/", "lab/bench"), "call verifier_diary"),
}
# Too slow, or too rarely there, to be imported for a help text.
HEAVY = {
    "bcc",
    "cffi",
    "datasette",
    "isal",
    "matplotlib",
    "numba",
    "numpy",
    "polars",
    "prometheus_client",
    "pyarrow",
    "pyroute2",
    "rich",
    "scapy",
    "sqlite_utils",
    "textual",
    "zstandard",
    "lab.libbpf",
    "lab.loader",
}


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every import, at whatever depth and for types too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write imports in full, not relative"
            yield node.lineno, node.module or ""


def offences(path: Path) -> Iterator[str]:
    name = path.relative_to(ROOT).as_posix()
    forbidden = FORBIDDEN.get(name.partition("/")[0], {})
    for line, imported in imports(path):
        top = imported.partition(".")[0]
        homes, instead = HOMES.get(top, ((name,), ""))
        if top in forbidden:
            yield f"{name}:{line} imports {imported}: {forbidden[top]}"
        elif not name.startswith(homes):
            yield f"{name}:{line} imports {imported}, at home in {', '.join(homes)}: {instead}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    found = list(offences(path))
    assert not found, "\n".join(found)


def test_offences_name_the_import_and_what_to_do(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "simulator" / "bad.py"
    path.parent.mkdir()
    path.write_text("def f():\n    import click\n    from lab.errors import Busy\n")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert list(offences(path)) == [
        "simulator/bad.py:2 imports click, at home in lab/cli.py, lab/commands/, "
        "lab/site/command_pages.py, verifier_diary/commands.py, verifier_diary/watch_command.py: "
        "return values or raise a LabError, and let the command print",
        "simulator/bad.py:3 imports lab.errors: pass plain values in; lab calls the simulator, "
        "never the reverse",
    ]


def test_no_init_file_is_under_tests() -> None:
    found = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("__init__.py")]
    assert not found, f"delete {found}: with them tests/unit/lab would shadow the package lab"


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom lab.cli import run\nassert run(['--help']) == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = sorted(HEAVY & set(done.stderr.split()))
    assert not loaded, f"`lab --help` imports {loaded}: import them in the functions that use them"


def test_every_command_has_a_help_line_and_a_command() -> None:
    from lab.cli import COMMANDS, cli, help_line

    context = cli.make_context("lab", [], resilient_parsing=True)
    for name in cli.list_commands(context):
        assert help_line(name), (
            f"{COMMANDS / name}.py needs a docstring; its first line is the help"
        )
        assert cli.get_command(context, name).name == name

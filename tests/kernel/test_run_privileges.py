"""What a run needs, and what it gives up."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel import live, namespaces
from tests.kernel.conftest import needs_clang, needs_root

NEEDED = ("cap_bpf", "cap_net_admin", "cap_perfmon")
MASK = 1 << 39 | 1 << 12 | 1 << 38  # of these, include/uapi/linux/capability.h
NOBODY = 65534

pytestmark = [needs_root, needs_clang]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Yield a folder that others can reach; pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def only(*capabilities: str) -> tuple[str, ...]:
    """Return a prefix that runs a command as root with these capabilities, and no others."""
    kept = ",".join(["-all", *(f"+{name.removeprefix('cap_')}" for name in capabilities)])
    return ("setpriv", f"--bounding-set={kept}", f"--inh-caps={kept}", "--")


def test_root_keeps_three_capabilities_in_every_thread(
    left: str, run: live.Runs, tmp_path: Path
) -> None:
    recording = tmp_path / "run.parquet"
    process = run(left, "--metrics", "0", "--record", str(recording))
    process.record()  # so all threads are there
    threads = live.tasks(process.process.pid)
    assert len(threads) >= 4  # the loop, the output, the recording, the metrics
    for status in threads:
        for name in ("CapEff", "CapPrm", "CapBnd"):
            assert int(status[name], 16) == MASK, status["Name"]
        assert status["NoNewPrivs"] == "1"
    code, records = process.end()
    assert (code, recording.exists()) == (0, True)
    assert records[0]["privileges"]["capabilities"] == sorted(n.upper() for n in NEEDED)


def test_under_sudo_the_run_becomes_the_invoking_person(
    left: str, run: live.Runs, open_folder: Path
) -> None:
    os.chown(open_folder, NOBODY, NOBODY)
    recording = open_folder / "run.parquet"
    sudo = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
    process = run(left, "--record", str(recording), environment=sudo)
    process.record()
    for status in live.tasks(process.process.pid):
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {str(NOBODY)}
        assert int(status["CapEff"], 16) == MASK
    live.send("right", 3)
    code, records = process.end()
    assert (code, live.summary(records)["packets"]) == (0, 3)
    assert (recording.stat().st_uid, recording.stat().st_gid) == (NOBODY, NOBODY)
    assert recording.stat().st_size > 0
    assert list(open_folder.iterdir()) == [recording]


def test_three_capabilities_are_enough(left: str, run: live.Runs) -> None:
    process = run(left, prefix=only(*NEEDED))
    live.send("right", 3)
    code, records = process.end()
    assert (code, live.summary(records)["packets"]) == (0, 3)


@pytest.mark.parametrize("missing", NEEDED)
def test_less_ends_with_4_and_names_what_is_missing(
    left: str, run: live.Runs, missing: str
) -> None:
    rest = [name for name in NEEDED if name != missing]
    process = run(left, prefix=only(*rest), ready=False)
    assert process.ended() == (4, [])
    namespaces.wait_until(lambda: "try:" in process.said, "it says what to do")
    assert f"error: lab run needs {missing.upper()}, which this process does not" in process.said
    assert live.attached(left) == []


def test_entering_a_namespace_takes_cap_sys_admin(left: str, run: live.Runs) -> None:
    from lab.testbed import Testbed

    with Testbed() as bed:
        process = run("rx0", "--netns", bed.receiver.namespace, prefix=only(*NEEDED), ready=False)
        assert process.ended() == (4, [])
        namespaces.wait_until(lambda: "CAP_SYS_ADMIN" in process.said, "it names what is missing")

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import BadInput, UsageError_
from lab.matrix import kernel_list

ONE = '[[kernel]]\nname = "one"\n'


def read(folder: Path, text: str) -> tuple[kernel_list.KernelEntry, ...]:
    path = folder / "kernels.toml"
    path.write_text(text)
    return kernel_list.read(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(BadInput) as error:
        read(folder, text)
    return str(error.value).replace(f"{folder}/", "")


def test_the_labs_own_list_has_the_running_kernel_and_two_of_debian() -> None:
    running, old, new = kernel_list.read()
    assert running.running
    assert (old.name, new.name) == ("6.1", "6.12")
    assert all(entry.package and entry.suite for entry in (old, new))


def test_paths_are_relative_to_the_list(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, f'{ONE}path = "boot/vmlinuz"\nmodules = "/lib/modules/x"\nlimit = 7')
    assert entry.path == tmp_path / "boot/vmlinuz"
    assert entry.modules == Path("/lib/modules/x")
    assert entry.limit == 7


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1", "kernels.toml must hold [[kernel]] tables, and nothing else"),
        ("kernel = []", "kernels.toml must hold [[kernel]] tables, and nothing else"),
        ("kernel = [1]", "kernels.toml: kernel 1 is no table"),
        (
            '[[kernel]]\nname = "a b"\nrunning = true',
            "kernels.toml: kernel 1 needs a name of letters, digits and any of . _ + -",
        ),
        (ONE, "kernels.toml: kernel 1 (one) names 0 sources"),
        (f'{ONE}running = true\npath = "x"', "kernels.toml: kernel 1 (one) names 2 sources"),
        (f"{ONE}colour = 1", "kernels.toml: kernel 1 has an unknown field 'colour'"),
        (f"{ONE}path = 1", "kernels.toml: kernel 1: path = 1 is of the wrong type"),
        (
            f'{ONE}running = true\nsuite = "sid"',
            "kernels.toml: kernel 1 (one): suite means nothing without package",
        ),
        (
            f"{ONE}running = true\nlimit = 0",
            "kernels.toml: kernel 1 (one): limit must be more than 0 seconds",
        ),
        (
            f"{ONE}running = true\n{ONE}running = true",
            "kernels.toml: two kernels have the name 'one'",
        ),
    ],
)
def test_a_list_that_is_wrong_says_where_and_how(tmp_path: Path, text: str, problem: str) -> None:
    assert refused(tmp_path, text) == problem


def test_a_pattern_that_is_none_is_named(tmp_path: Path) -> None:
    text = refused(tmp_path, f"{ONE}package = '('")
    assert text.startswith("kernels.toml: kernel 1 (one): package is no regular expression: ")


def test_what_is_no_toml_and_what_is_not_there_are_bad_input(tmp_path: Path) -> None:
    assert refused(tmp_path, "=").startswith("kernels.toml is no TOML: ")
    with pytest.raises(BadInput, match=r"cannot read .*nowhere.toml: No such file"):
        kernel_list.read(tmp_path / "nowhere.toml")


def test_kernels_are_chosen_by_name_in_the_order_of_the_list() -> None:
    entries = kernel_list.read()
    chosen = kernel_list.choose(entries, ("6.12", "running"))
    assert [entry.name for entry in chosen] == ["running", "6.12"]
    assert kernel_list.choose(entries, ()) == entries


def test_a_name_that_is_not_in_the_list_is_a_usage_error() -> None:
    with pytest.raises(UsageError_) as error:
        kernel_list.choose(kernel_list.read(), ("5.4",))
    assert str(error.value) == "the list has no kernel '5.4'"
    assert error.value.try_ == "one of: running, 6.1, 6.12"

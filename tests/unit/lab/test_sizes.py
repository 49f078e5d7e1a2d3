from __future__ import annotations

import click
import pytest

from lab.commands._options import Size
from lab.sizes import check_size, format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("256K", 256 * 1024),
        ("256k", 256 * 1024),
        ("1M", 1 << 20),
        ("1.5M", 3 << 19),
        ("1MiB", 1 << 20),
        ("2GB", 2 << 30),
        (" 7 K ", 7 << 10),
    ],
)
def test_parse_size_reads(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "K", "12Q", "-1K", "1e6", "1K1", "0x10", "\u0661K"])
def test_parse_size_refuses_and_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size: write bytes, or a number with K, M or G"):
        parse_size(text)


def test_parse_size_refuses_a_part_of_a_byte() -> None:
    with pytest.raises(ValueError, match=r"'0\.3' is not a whole number of bytes"):
        parse_size("0.3")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1K"),
        (1536, "1.5 KiB"),
        (1 << 20, "1M"),
        (3 << 30, "3G"),
    ],
)
def test_format_size_is_exact_where_it_is_round(size: int, text: str) -> None:
    assert format_size(size) == text


def test_check_size_names_the_limit_that_is_passed() -> None:
    with pytest.raises(ValueError, match="16K is too small: at least 64K"):
        check_size(16 << 10, 64 << 10, None)
    with pytest.raises(ValueError, match="2T is too large: at most 1G"):
        check_size(2 << 40, None, 1 << 30)


def convert(text: str) -> int:
    @click.command
    @click.option("--memory", type=Size(1024, 1 << 30))
    def command(memory: int) -> int:
        return memory

    return command.main(["--memory", text], standalone_mode=False)


def test_size_option_takes_a_size() -> None:
    assert convert("256K") == 256 << 10


@pytest.mark.parametrize(
    ("text", "reason"), [("12Q", "is not a size"), ("1", "too small"), ("2G", "too large")]
)
def test_size_option_is_a_usage_error_that_names_the_option(text: str, reason: str) -> None:
    with pytest.raises(click.BadParameter, match=reason) as caught:
        convert(text)
    assert "--memory" in caught.value.format_message()
    assert caught.value.exit_code == 2

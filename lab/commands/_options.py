"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from lab.output import Format
from lab.sizes import check_size, parse_size

F = TypeVar("F", bound=Callable[..., Any])


class _FormatType(click.Choice[str]):
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Format:
        return Format(super().convert(value, param, ctx))


def format_option(function: F) -> F:
    """Add `--format table|json|jsonl|csv`; the command gets a `Format` named `format`."""
    return click.option(
        "--format",
        type=_FormatType([str(form) for form in Format]),
        default=str(Format.TABLE),
        show_default=True,
        help="How to print the data.",
    )(function)


class Size(click.ParamType[int]):
    """A size in bytes, written as 256K or 1M, within limits."""

    name = "size"

    def __init__(self, minimum: int | None = None, maximum: int | None = None) -> None:
        """Take the limits in bytes, both included."""
        self.minimum = minimum
        self.maximum = maximum

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes; click says which option was wrong."""
        try:
            size = value if isinstance(value, int) else parse_size(value)
            check_size(size, self.minimum, self.maximum)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return size


def key_option(function: F) -> F:
    """Add `--key src|flow`."""
    return click.option(
        "--key",
        type=click.Choice(["src", "flow"]),
        default="src",
        show_default=True,
        help="What is counted: source addresses or 5-tuples.",
    )(function)


def memory_option(default: str) -> Callable[[F], F]:
    """Add `--memory SIZE`."""
    return click.option(
        "--memory",
        type=Size(minimum=1),
        default=default,
        show_default=True,
        help="Budget of everything Low Detail allocates: all buffers, all CPUs.",
    )


def threshold_option(minimum: int) -> Callable[[F], F]:
    """Add `--threshold N`."""
    return click.option(
        "--threshold",
        type=click.IntRange(minimum),
        default=10_000,
        show_default=True,
        help="New keys per second that High Detail bears.",
    )


def seed_option(meaning: str) -> Callable[[F], F]:
    """Add `--seed N`, 64 bits, with what it decides as its help."""
    return click.option("--seed", type=click.IntRange(0, (1 << 64) - 1), default=None, help=meaning)


def detail_option(function: F) -> F:
    """Add `--detail auto|high|low`."""
    return click.option(
        "--detail",
        type=click.Choice(["auto", "high", "low"]),
        default="auto",
        show_default=True,
        help="Let the data path switch, or force one detail.",
    )(function)


def attach_option(function: F) -> F:
    """Add `--attach auto|native|generic`; the command gets it as `how`."""
    return click.option(
        "--attach",
        "how",
        type=click.Choice(["auto", "native", "generic"]),
        default="auto",
        show_default=True,
        help="In the driver, in the network stack, or as well as the interface can.",
    )(function)

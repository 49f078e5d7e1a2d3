"""The browser, driven by keys, and what its screens show."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tests.diary import LINE, LOG, accepted, filed, rejected
from verifier_diary.model import Attempt, Program
from verifier_diary.store import Store

if TYPE_CHECKING:
    from textual.pilot import Pilot

MESSAGE = "invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)"
HOSTILE = "[bold]\x1b[2J\udcff"
OTHER = LOG.replace(MESSAGE, f"R3 !read_ok\n{HOSTILE}")
Pressing = Callable[["Pilot[None]"], Awaitable[None]]


def fill(store: Store) -> None:
    """File a cured entry, an open one, and one that a lesson wants."""
    second = Program("second", "second", "xdp", "xdp")
    third = Program("third", "third", "tc", "sched_cls")
    filed(
        store,
        *(rejected(), rejected(1), accepted(2)),
        rejected(3, OTHER, program=second, sources=()),
        rejected(4, program=third, expected=True),
    )


CELL = 12.2  # width of a character in textual's SVG
_TEXT = re.compile(r'<text [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*clip-path[^>]*>(.*?)</text>')


def svg_text(svg: str) -> str:
    """Return what an SVG export shows, every character in its place."""
    lines: dict[float, str] = {}
    for x, y, escaped in _TEXT.findall(svg):
        text = html.unescape(escaped).replace("\xa0", " ").removesuffix("\n")
        lines[float(y)] = lines.get(float(y), "").ljust(round(float(x) / CELL)) + text
    return "\n".join(lines[y].rstrip() for y in sorted(lines))


async def look(pilot: Pilot[None]) -> str:
    """Return what the screen shows."""
    return svg_text(pilot.app.export_screenshot())


def drive(
    store: Store, press: Pressing, size: tuple[int, int] = (80, 24), *, journals: bool = False
) -> None:
    """Open the browser and press keys."""
    from verifier_diary.browser.app import Browser

    async def session() -> None:
        async with Browser(store, journals=journals).run_test(size=size) as pilot:
            await pilot.pause()
            await press(pilot)

    asyncio.run(session())


async def until(pilot: Pilot[None], done: Callable[[], bool]) -> None:
    """Wait for what a thread does."""
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    await pilot.pause()


def other(minute: int, number: int) -> Attempt:
    """Return an attempt that is another entry for every number."""
    return rejected(minute, LOG.replace(LINE, f"return data[{chr(0x4E00 + number)}];"))

"""Pictures of the list and of a page, for the documentation, drawn by textual itself."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from verifier_diary.browser.app import Browser
from verifier_diary.browser.query import Query
from verifier_diary.store import Store

SIZE = (100, 36)  # characters and lines
_REMOTE_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture fetches nothing
LIST, PAGE = "diary-list.svg", "diary-page.svg"


def screenshots(
    folder: Path, database: Path, query: Query | None = None, size: tuple[int, int] = SIZE
) -> tuple[Path, Path]:
    """Write both screens as SVG; the page is that of the query's first entry."""
    with Store(database) as store:
        pictures = asyncio.run(_draw(Browser(store, query), size))
    paths = folder / LIST, folder / PAGE
    for path, picture in zip(paths, pictures, strict=True):
        path.write_text(_REMOTE_FONTS.sub("", picture), encoding="utf-8")
    return paths


async def _draw(app: Browser, size: tuple[int, int]) -> tuple[str, str]:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        listed = app.export_screenshot()
        await pilot.press("enter")
        await pilot.pause()
        return listed, app.export_screenshot()

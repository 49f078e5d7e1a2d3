"""Pictures of the list and of a page, for the documentation, drawn by textual itself.

`python -m verifier_diary.browser.screenshots` draws them anew from this project's own journal and
its lessons, as the export reads them.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from verifier_diary.browser.app import Browser
from verifier_diary.browser.query import Query
from verifier_diary.entries import Filter
from verifier_diary.store import Store

LIST_SIZE, PAGE_SIZE = (110, 30), (140, 44)  # characters and lines
LIST, PAGE = "diary-list.svg", "diary-entry.svg"
FIGURES = "docs/figures"
# What is shown: the list while words are typed, and the page of a lesson.
SEARCHED = Query("packet", Filter(expected=None))
READ = Query("packet_bounds_bad", Filter(expected=None))

# Whoever looks at a picture needs no other host for it.
_REMOTE_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FONT = "font-family: Fira Code, monospace"
_FONTS = "font-family: 'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def screenshots(
    folder: Path, database: Path, searched: Query = SEARCHED, read: Query = READ
) -> tuple[Path, Path]:
    """Write both screens as SVG: a list, and the page of the first entry of another one."""
    with Store(database) as store:
        pictures = asyncio.run(_draw(store, searched, read))
    paths = folder / LIST, folder / PAGE
    for path, picture in zip(paths, pictures, strict=True):
        path.write_text(_at_home(picture), encoding="utf-8")
    return paths


async def _draw(store: Store, searched: Query, read: Query) -> tuple[str, str]:
    app = Browser(store, searched)
    async with app.run_test(size=LIST_SIZE) as pilot:
        await pilot.pause()
        listed = app.export_screenshot()
    app = Browser(store, read)
    async with app.run_test(size=PAGE_SIZE) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        return listed, app.export_screenshot()


# textual names every picture's styles by a random number.
def _at_home(picture: str) -> str:
    bare = _REMOTE_FONTS.sub("", picture).replace(_FONT, _FONTS)
    return re.sub(r"terminal-\d+", "terminal", bare)


def main(folder: Path) -> None:
    """Draw the project's own pictures."""
    from verifier_diary.export import fill

    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch) / "diary.db"
        with Store(database) as store:
            fill(store, print)
        for path in screenshots(folder, database):
            print(path)


if __name__ == "__main__":
    from verifier_diary.generated import default

    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default(FIGURES))

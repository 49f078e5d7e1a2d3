"""Open the browser on a diary, draw its list, and end: what `verifier_diary.scale` measures."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from verifier_diary.browser.app import Browser
from verifier_diary.browser.entry_table import EntryTable
from verifier_diary.store import Store


def draw(database: Path) -> int:
    """Return the number of entries that the list has once it is drawn."""
    with Store(database) as store:
        return asyncio.run(_draw(Browser(store)))


async def _draw(app: Browser) -> int:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        return app.screen.query_one(EntryTable).count()


if __name__ == "__main__":
    print(draw(Path(sys.argv[1])))

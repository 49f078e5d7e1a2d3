"""The live view's picture of one look: what a person wants to know, on 80 columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.run.look import Look
from lab.run.snapshot import KeyCount
from simulator.layout import Detail
from simulator.policy import SECOND_NS, Policy
from simulator.switches import Alarm, Entry, EpochChange, Switch

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

BAR = 24  # columns
ENTRIES, NEWS = 4, 2


@dataclass(frozen=True)
class About:
    """What does not change during a run."""

    mode: str  # native or generic
    fallback: str | None  # why not native, where native was tried
    key: str
    policy: Policy


def picture(look: Look, about: About) -> RenderableType:
    """Return everything, for rich."""
    from rich.console import Group

    parts: list[RenderableType] = [_head(look, about), _facts(look, about), _top(look)]
    parts += [_answers(look)] if look.answers else []
    parts += [_log(look)] if look.entries or look.news else []
    parts += [_prompt(look)] if look.typing else []
    return Group(*parts)


def _head(look: Look, about: About) -> RenderableType:
    from rich.text import Text

    low = look.detail is Detail.LOW
    since = (look.now_ns - look.since_ns) / SECOND_NS
    line = Text()
    line.append(look.interface.name, style="bold")
    line.append(f"  {_state(look)}{about.mode} XDP  key {about.key}  up {clock(look.elapsed)}   ")
    line.append(f" {'LOW' if low else 'HIGH'} DETAIL ", style=f"bold reverse {_color(look.detail)}")
    line.append(f" for {since:.1f} s")
    if about.fallback:
        line.append(f"\nattached in generic mode: {about.fallback}", style="yellow")
    return line


def _state(look: Look) -> str:
    if look.interface.moved:
        return "in another namespace  "
    return "" if look.interface.up in (True, None) else "down  "


def _facts(look: Look, about: About) -> Table:
    from rich.table import Table

    seen, policy = look.observation, about.policy
    grid = Table.grid(padding=(0, 2))
    rows: list[tuple[RenderableType, RenderableType, RenderableType]] = [
        ("rate", f"{look.rates.packets:,.0f} packets/s", _bits(look)),
        (
            "new keys",
            f"{look.rates.new_keys:,.0f} /s",
            f"threshold {policy.threshold:,} /s; {_keys(look)}",
        ),
        ("exact table", bar(seen.occupancy), f"{seen.occupancy:.0%} of {policy.exact_entries:,}"),
        ("light part", bar(seen.fill), f"{seen.fill:.0%} of the cells in use"),
        ("error", _error(seen.error), f"epochs of {look.epoch_ns / SECOND_NS:g} s"),
        ("ledger", f"{look.ledger.seen:,} seen", _ledger(look)),
        ("dropped", _count(look.drops.before_xdp), "before XDP, in no account"),
    ]
    for row in rows:
        grid.add_row(*row)
    return grid


def bar(share: float) -> Text:
    """Return a share as a bar."""
    from rich.text import Text

    full = round(min(1.0, max(0.0, share)) * BAR)
    style = "red" if share > 0.9 else "yellow" if share > 0.7 else "green"
    return Text.assemble(("█" * full, style), ("░" * (BAR - full), "dim"))


def clock(seconds: float) -> str:
    """Return a duration as h:mm:ss."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def bound(count: KeyCount) -> str:
    """Say how sure a count is."""
    if count.saturated:
        return "at least, saturated"
    return "exact" if count.kind == "exact" else f"estimate +0 -{count.packets - count.lower:,}"


def told(entry: Entry, start_ns: int) -> str:
    """Return an entry of the log as a line."""
    at = f"{clock((entry.time_ns - start_ns) / SECOND_NS)}"
    values = ", ".join(f"{name.replace('_', ' ')} {value:,.4g}" for name, value in entry.values)
    if isinstance(entry, Switch):
        what = f"{entry.detail.name.lower()} detail"
    elif isinstance(entry, EpochChange):
        what = f"epochs of {entry.epoch_ns / SECOND_NS:g} s"
    else:
        what = "alarm"
    return f"{at}  {what}: {entry.cause}{f' ({values})' if values else ''}"


def _bits(look: Look) -> str:
    epoch = look.snapshot
    if epoch is None:
        return "before the first epoch's end"
    return f"{8 * epoch.ledger.seen_bytes / epoch.seconds / 1e6:,.1f} Mbit/s in epoch {epoch.epoch}"


def _keys(look: Look) -> str:
    epoch = look.snapshot
    keys = epoch.observation.cardinality if epoch else None
    if keys is None:
        return "keys not counted yet"
    if keys == float("inf"):
        return "too many keys to count"
    return f"{keys:,.0f} keys in the epoch{'' if epoch and epoch.reliable else ', roughly'}"


def _error(error: float | None) -> str:
    return "not measured" if error is None else f"+-{error:,.2f} packets"


def _ledger(look: Look) -> Text:
    from rich.text import Text

    ledger = look.ledger
    difference = ledger.difference + ledger.byte_difference
    parts = (
        f"= {ledger.exact:,} exact + {ledger.sketched:,} sketched + {ledger.not_ip:,} not IP "
        f"+ {ledger.malformed:,} malformed; difference "
    )
    return Text.assemble(parts, (f"{difference:,}", "bold red" if difference else "green"))


def _top(look: Look) -> RenderableType:
    epoch = look.snapshot
    if epoch is None or not epoch.top:
        return ""
    return _counts(f"top of epoch {epoch.epoch}", epoch.top)


def _answers(look: Look) -> RenderableType:
    return _counts("asked for", look.answers)


def _counts(title: str, keys: Iterable[KeyCount]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=False)
    table.add_column(title)
    table.add_column("packets", justify="right")
    table.add_column("")
    for count in keys:
        style = "" if count.kind == "exact" else "yellow"
        table.add_row(count.key, f"{count.packets:,}", bound(count), style=style)
    return table


def _log(look: Look) -> Text:
    from rich.text import Text

    lines = Text()
    for entry in look.entries[-ENTRIES:]:
        style = "bold red" if isinstance(entry, Alarm) else ""
        style = _color(entry.detail) if isinstance(entry, Switch) else style
        lines.append(f"\n{told(entry, look.start_ns)}", style=style)
    for news in look.news[-NEWS:]:
        lines.append(f"\n{news}", style="yellow")
    return lines


def _prompt(look: Look) -> Text:
    from rich.text import Text

    typing = look.typing
    if typing is None:
        return Text()
    if typing.problem and not typing.text:
        return Text(f"\n{typing.problem}", style="red")
    hint = "" if typing.text else "type a key to ask for its count; q ends"
    return Text.assemble(("\nquery> ", "bold"), typing.text, ("_ ", "blink"), (hint, "dim"))


def _count(number: int | None) -> str:
    return "not told by the interface" if number is None else f"{number:,} packets"


def _color(detail: Detail) -> str:
    return "yellow" if detail is Detail.LOW else "green"

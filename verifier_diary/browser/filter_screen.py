"""The filter, in front of the list, which follows every choice at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Footer, Input, Label, Select

from verifier_diary.entries import Filter, known
from verifier_diary.model import Layer
from verifier_diary.store import Store

ANY = ""
_CURED = {ANY: None, "open": False, "cured": True}
_EXPECTED = {"hidden": False, "shown": None, "only": True}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the diary has to choose from."""

    classes: tuple[str, ...]
    kernels: tuple[str, ...]
    programs: tuple[str, ...]

    @classmethod
    def of(cls, store: Store) -> Choices:
        """Read them."""
        return cls(*(tuple(known(store, name)) for name in ("class", "kernel", "program")))


class FilterScreen(ModalScreen[None]):
    """A form of one line per property."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("ctrl+r", "reset", "Reset"),
    ]

    def __init__(self, choices: Choices, wanted: Filter, changed: Callable[[Filter], None]) -> None:
        """Show a filter; `changed` gets every new one."""
        super().__init__()
        self._choices = choices
        self._wanted = wanted
        self._changed = changed

    def compose(self) -> ComposeResult:
        """Lay the form out."""
        wanted, choices = self._wanted, self._choices
        with Grid(id="form"):
            yield from self._select("class", choices.classes, wanted.class_id)
            yield from self._select("kernel", choices.kernels, wanted.kernel)
            yield Label("program")
            yield Input(
                wanted.program or "",
                placeholder="any; a part of its name",
                suggester=SuggestFromList(choices.programs, case_sensitive=False),
                id="program",
                compact=True,
            )
            yield from self._select("layer", [layer.value for layer in Layer], wanted.layer)
            yield from self._select("cured", [*_CURED][1:], _name(_CURED, wanted.cured))
            expected = _name(_EXPECTED, wanted.expected)
            yield from self._select("expected", [*_EXPECTED], expected, free=False)
        yield Footer()

    def _select(
        self, name: str, values: Iterable[str], chosen: str | None, *, free: bool = True
    ) -> ComposeResult:
        options = [("any", ANY)] if free else []
        names = dict.fromkeys((*values, *([chosen] if chosen else ())))
        options += [(value, value) for value in names if value]
        yield Label(_TITLES.get(name, name))
        yield Select(options, value=chosen or ANY, allow_blank=False, id=name, compact=True)

    @on(Select.Changed)
    @on(Input.Changed)
    def _choose(self) -> None:
        wanted = Filter(
            class_id=self._chosen("class") or None,
            kernel=self._chosen("kernel") or None,
            program=self.query_one("#program", Input).value.strip() or None,
            layer=self._chosen("layer") or None,
            cured=_CURED[self._chosen("cured")],
            expected=_EXPECTED[self._chosen("expected")],
        )
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed(wanted)

    def _chosen(self, name: str) -> str:
        return str(self.query_one(f"#{name}", Select).value)

    @on(Input.Submitted)
    def action_close(self) -> None:
        """Go back to the list."""
        self.dismiss()

    def action_reset(self) -> None:
        """Let everything pass but what is expected."""
        self.query_one("#program", Input).value = ""
        for select in self.query(Select):
            select.value = "hidden" if select.id == "expected" else ANY


_TITLES = {"layer": "refused by", "cured": "state"}


def _name(names: dict[str, bool | None], value: bool | None) -> str:
    return next(name for name, meaning in names.items() if meaning is value)

"""Records of plain numbers, to be kept in tables (Parquet, CSV, JSON) and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import IntEnum
from typing import Any, ClassVar, Self

Cell = int | float | None


class Row:
    """A frozen dataclass of int, float, bool, None and IntEnum; enums are stored by number."""

    ENUMS: ClassVar[dict[str, type[IntEnum]]] = {}

    def as_row(self) -> dict[str, Cell]:
        """Return the fields by name, as plain numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {n: int(v) if isinstance(v, IntEnum) else v for n, v in values.items()}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the record again; raises ValueError where a column is missing or unknown."""
        names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        missing, unknown = set(names) - set(row), set(row) - set(names)
        if missing or unknown:
            wrong = [f"misses {n}" for n in sorted(missing)]
            wrong += [f"has an unknown {n}" for n in sorted(unknown)]
            raise ValueError(f"a recorded {cls.__name__.lower()} {', '.join(wrong)}")
        return cls(**{name: cls._value(name, row[name]) for name in names})

    @classmethod
    def _value(cls, name: str, cell: Any) -> Any:
        kind = cls.ENUMS.get(name)
        return kind(cell) if kind and cell is not None else cell

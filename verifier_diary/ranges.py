"""What a register may hold: signed, unsigned and 32-bit bounds, and the bits that are known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verifier_diary.registers import Value

U64_MAX = (1 << 64) - 1
U32_MAX = (1 << 32) - 1
S64_MIN, S64_MAX = -(1 << 63), (1 << 63) - 1
S32_MIN, S32_MAX = -(1 << 31), (1 << 31) - 1

_BOUNDS = re.compile(r"[us](?:32_)?m(?:in|ax)")
_VAR_OFF = re.compile(r"\((0x[0-9a-f]+|\d+); (0x[0-9a-f]+|\d+)\)")


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds as the verifier keeps them, all of them, defaults filled in."""

    smin: int = S64_MIN
    smax: int = S64_MAX
    umin: int = 0
    umax: int = U64_MAX
    smin32: int = S32_MIN
    smax32: int = S32_MAX
    umin32: int = 0
    umax32: int = U32_MAX
    var_off: tuple[int, int] = (0, U64_MAX)  # value, mask: a set bit of the mask is unknown

    @classmethod
    def known(cls, number: int) -> Range:
        """Return the range of one number."""
        unsigned, low = number & U64_MAX, number & U32_MAX
        signed = unsigned - (1 << 64) if unsigned > S64_MAX else unsigned
        signed_low = low - (1 << 32) if low > S32_MAX else low
        signs = (signed, signed, unsigned, unsigned, signed_low, signed_low, low, low)
        return cls(*signs, var_off=(unsigned, 0))

    @property
    def is_unknown(self) -> bool:
        """Say whether nothing is known."""
        return self == Range()

    @property
    def low(self) -> int:
        """Return the least value, signed if the sign is open, else unsigned."""
        return self.smin if self.smin < 0 or self.umax > S64_MAX else self.umin

    @property
    def high(self) -> int | None:
        """Return the greatest value, or None where there is no useful bound."""
        if self.smax < 0:
            return self.smax
        bound = min(self.smax, self.umax) if self.umin <= S64_MAX else self.smax
        return None if bound == S64_MAX else bound


def range_of(value: Value) -> Range:
    """Return the bounds that a value prints; for a pointer those of its variable offset."""
    if value.constant is not None:
        return Range.known(value.constant)
    bits = _known_bits(value)
    if not value.is_scalar and not bits and not _BOUNDS.search(str(value)):
        return Range.known(value.integer("imm") or 0)  # a pointer with a fixed offset
    least, most = (bits[0], bits[0] | bits[1]) if bits else (0, U64_MAX)

    def bound(default: int, *names: str) -> int:
        number = value.integer(*names)
        return default if number is None else number

    umin = bound(least, "umin", "umin_value")
    umax = bound(most, "umax", "umax_value")
    smin = bound(umin if umax <= S64_MAX else S64_MIN, "smin", "smin_value")
    smax = bound(umax if umax <= S64_MAX else S64_MAX, "smax", "smax_value")
    return Range(
        smin=_signed(smin, 64),
        smax=_signed(smax, 64),
        umin=umin & U64_MAX,
        umax=umax & U64_MAX,
        smin32=_signed(bound(S32_MIN, "smin32", "s32_min", "s32_min_value"), 32),
        smax32=_signed(bound(S32_MAX, "smax32", "s32_max", "s32_max_value"), 32),
        umin32=bound(0, "umin32", "u32_min", "u32_min_value") & U32_MAX,
        umax32=bound(U32_MAX, "umax32", "u32_max", "u32_max_value") & U32_MAX,
        var_off=bits or (0, U64_MAX),
    )


def _known_bits(value: Value) -> tuple[int, int] | None:
    match = _VAR_OFF.fullmatch(value.attribute("var_off") or "")
    return (int(match[1], 0), int(match[2], 0)) if match else None


# Since 6.8 large bounds are printed in hexadecimal, negative ones too: smin=0xffffffff80000000.
def _signed(number: int, width: int) -> int:
    number &= (1 << width) - 1
    return number - (1 << width) if number >> (width - 1) else number

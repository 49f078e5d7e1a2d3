from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from lab import loader
from lab.build import Build
from lab.errors import UsageError_
from tests.kernel.conftest import needs_clang, needs_root
from verifier_diary.model import Layer

pytestmark = [needs_root, needs_clang]
Compiled = Callable[..., Build]

HEAD = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
"""
KNOBS = (
    HEAD
    + """
struct config { __u32 width; __s16 low; __u8 text[3]; };
enum mode { OFF, ON };
const volatile struct config config = { .width = 7, .low = -1 };
const volatile __u64 wide = 1;
const volatile enum mode mode = OFF;
volatile __u32 counter = 40;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 8);
} sized SEC(".maps");

SEC("xdp")
int knobs(struct xdp_md *ctx)
{
	__u32 zero = 0;
	char *value = bpf_map_lookup_elem(&sized, &zero);

	if (!value || mode != ON)
		return -1;
	return config.width + config.low + config.text[2] + (wide >> 32) + counter;
}
"""
)


def test_knobs_reach_the_program(compiled: Compiled) -> None:
    knobs = {
        "config": {"width": 1000, "low": -100, "text": [1, 2, 3]},
        "wide": 5 << 32,
        "mode": 1,
        "counter": 4,
    }
    with loader.load(compiled(KNOBS), knobs=knobs) as loaded:
        assert loaded.program.test_run(bytes(64)).retval == 1000 - 100 + 3 + 5 + 4


def test_knob_fields_left_out_keep_their_value(compiled: Compiled) -> None:
    with loader.load(compiled(KNOBS), knobs={"config": {"low": 1}, "mode": 1}) as loaded:
        assert loaded.program.test_run(bytes(64)).retval == 7 + 1 + 40


def test_knob_takes_bytes(compiled: Compiled) -> None:
    knobs = {"wide": (3 << 32).to_bytes(8, sys.byteorder), "mode": 1}
    with loader.load(compiled(KNOBS), knobs=knobs) as loaded:
        assert loaded.program.test_run(bytes(64)).retval == 7 - 1 + 3 + 40
        assert loaded.attempt.knobs["wide"] == knobs["wide"].hex()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"no_such": 1}, "the object has no knob 'no_such'"),
        ({"config": {"no_such": 1}}, "knob config has no field 'no_such'"),
        ({"config": {"width": 1 << 32}}, "knob config.width = 4294967296 does not fit 32 unsigned"),
        ({"config": {"low": 40000}}, "knob config.low = 40000 does not fit 16 signed"),
        ({"config": {"text": [1, 2, 3, 4]}}, "knob config.text has 3 elements, not 4"),
        ({"wide": b"123"}, "knob wide has 8 bytes, not 3"),
        ({"config": 1}, "knob config cannot be set to 1"),
    ],
)
def test_impossible_knob_is_a_usage_error(
    compiled: Compiled, knobs: dict[str, loader.KnobValue], message: str
) -> None:
    with pytest.raises(UsageError_, match=message):
        loader.load(compiled(KNOBS), knobs=knobs)


def test_map_value_size_is_set_at_load(compiled: Compiled) -> None:
    sizes = {"sized": {"value_size": 100_000, "max_entries": 3}}
    with loader.load(compiled(KNOBS), map_sizes=sizes) as loaded:
        sized = loaded.maps["sized"]
        assert (sized.value_size, sized.max_entries) == (100_000, 3)
        assert len(sized.lookup(bytes(4)) or b"") == 100_000
        assert loaded.attempt.map_sizes == sizes


def test_unknown_map_is_a_usage_error(compiled: Compiled) -> None:
    with pytest.raises(UsageError_, match=r"tiny.bpf.o has no map 'no_such'") as got:
        loader.load(compiled(KNOBS), map_sizes={"no_such": 1})
    assert "sized" in str(got.value.try_)


def test_impossible_map_size_is_a_usage_error(compiled: Compiled) -> None:
    with pytest.raises(UsageError_, match="map sized: max_entries = 0 is not possible"):
        loader.load(compiled(KNOBS), map_sizes={"sized": 0})


def test_map_the_kernel_refuses_is_its_layer(compiled: Compiled) -> None:
    attempt = loader.load(compiled(KNOBS), map_sizes={"sized": {"value_size": 0xFFFFFFF0}}).attempt
    assert attempt.layer is Layer.KERNEL
    assert "map 'sized'" in attempt.messages

"""Laws of the capture reader: what is written is read, and no file breaks it."""

from __future__ import annotations

import gzip
import io
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.frames import Frames
from simulator.traces import TraceError, read, write_pcap
from tests.captures import Record, enhanced, interface, option, pcap, section, simple

MAGICS = (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
ORDERS = st.sampled_from("<>")
RECORD = st.tuples(
    st.integers(0, 2**32 * 10**6 - 1).map(lambda us: us * 1000),
    st.binary(max_size=80),
    st.integers(0, 1500),
).map(lambda r: (r[0], r[1], len(r[1]) + r[2]))
RECORDS = st.lists(RECORD, min_size=1, max_size=12)


def read_all(data: bytes, batch_packets: int = 1 << 16) -> tuple[list[Record], TraceError | None]:
    """Return the records of a file, and the error it ended with."""
    batches: list[Frames] = []
    error = None
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        try:
            batches.extend(read(file.name, batch_packets=batch_packets))
        except TraceError as caught:
            error = caught
    frames = Frames.concatenate(batches)
    times = frames.times_ns.tolist()
    cut = [frames.frame(i)[: int(frames.captured[i])] for i in range(len(frames))]
    return list(zip(times, cut, frames.lengths.tolist(), strict=True)), error


def pcapng(records: list[Record], order: str, simple_too: bool = False) -> bytes:
    """Return a pcapng file with nanosecond timestamps, one interface."""
    nanoseconds = option(9, b"\x09", order=order)
    out = section(order=order) + interface(order=order, options=nanoseconds)
    for time, data, length in records:
        out += enhanced(time, data, length, order=order)
        out += simple(data, len(data), order=order) if simple_too else b""
    return out


@given(RECORDS, ORDERS, st.sampled_from(MAGICS), st.integers(1, 5))
def test_every_pcap_reads_back(
    records: list[Record], order: str, magic: int, batch_packets: int
) -> None:
    data = pcap(records, order=order, magic=magic)
    assert read_all(data, batch_packets) == (records, None)


@given(RECORDS, ORDERS, st.integers(1, 5))
def test_every_pcapng_reads_back(records: list[Record], order: str, batch_packets: int) -> None:
    assert read_all(pcapng(records, order), batch_packets) == (records, None)


@given(RECORDS)
def test_what_is_written_reads_back(records: list[Record]) -> None:
    times, frames, lengths = zip(*records, strict=True)
    file = io.BytesIO()
    write_pcap(file, Frames.from_bytes(frames, np.array(times, np.uint64), lengths))
    assert read_all(file.getvalue()) == (records, None)


@given(RECORDS, ORDERS, st.data())
def test_a_pcap_cut_anywhere_yields_its_whole_packets(
    records: list[Record], order: str, data: st.DataObject
) -> None:
    whole = pcap(records, order=order, magic=0xA1B23C4D)
    size = data.draw(st.integers(0, len(whole) - 1))
    ends = np.cumsum([24] + [16 + len(captured) for _, captured, _ in records])
    got, error = read_all(whole[:size])
    assert got == records[: max(0, int(np.searchsorted(ends, size, side="right")) - 1)]
    if size in ends.tolist() and size > 24:
        assert error is None
    else:
        assert error is not None


@given(RECORDS, ORDERS, st.data())
def test_a_pcapng_cut_anywhere_yields_its_whole_packets(
    records: list[Record], order: str, data: st.DataObject
) -> None:
    whole = pcapng(records, order)
    size = data.draw(st.integers(0, len(whole) - 1))
    ends = [len(pcapng(records[:i], order)) for i in range(len(records) + 1)]
    got, error = read_all(whole[:size])
    assert got == records[: max(0, int(np.searchsorted(ends, size, side="right")) - 1)]
    assert (error is None) == (size in ends[1:])


@given(RECORDS, st.data())
def test_a_gzip_stream_cut_anywhere_yields_only_true_packets(
    records: list[Record], data: st.DataObject
) -> None:
    whole = gzip.compress(pcap(records, magic=0xA1B23C4D), 1)
    got, error = read_all(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert got == records[: len(got)]
    assert error is not None


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda body: pcap([]) + body),
        st.binary(max_size=300).map(lambda body: pcap([], order=">", magic=0xA1B2CD34) + body),
        st.binary(max_size=300).map(lambda body: section() + body),
        st.binary(max_size=300).map(lambda body: section() + interface() + body),
        st.binary(max_size=300).map(lambda body: b"\x1f\x8b" + body),
        st.binary(max_size=300).map(lambda body: b"\x28\xb5\x2f\xfd" + body),
        st.binary(max_size=300).map(lambda body: gzip.compress(body)),
    )
)
def test_arbitrary_bytes_raise_nothing_but_trace_errors(data: bytes) -> None:
    got, error = read_all(data)
    assert got or error


@given(RECORDS, ORDERS, st.data())
def test_flipped_bytes_raise_nothing_but_trace_errors(
    records: list[Record], order: str, data: st.DataObject
) -> None:
    file = bytearray(pcapng(records, order, simple_too=True))
    for place in data.draw(st.lists(st.integers(0, len(file) - 1), max_size=8)):
        file[place] ^= data.draw(st.integers(1, 255))
    got, error = read_all(bytes(file))
    assert got or error
    for _, captured, length in got:
        assert len(captured) <= length

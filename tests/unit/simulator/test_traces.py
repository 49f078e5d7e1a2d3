from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard

from simulator.frames import Frames
from simulator.layout import FLOW, SRC, Outcome
from simulator.parsing import parse
from simulator.traces import LONGEST_FRAME, TraceError, TraceReader, read, write_pcap
from simulator.traffic import frames_for, generate
from tests.captures import interface, pcap, section, simple

T = 1_700_000_000_123_456_000
RECORDS = [(T, b"a" * 60, 60), (T + 5_000, b"b" * 20, 1514), (T - 1_000_000, b"c" * 14, 14)]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "trace.pcap"
    path.write_bytes(pcap(RECORDS))
    return path


def everything(path: Path, **options: int) -> Frames:
    return Frames.concatenate(list(read(path, **options)))


def contents(frames: Frames) -> list[tuple[int, bytes]]:
    return [(int(frames.times_ns[i]), frames.frame(i)) for i in range(len(frames))]


EXPECTED = [(time, data.ljust(length, b"\0")) for time, data, length in RECORDS]


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34], ids=["us", "ns", "mod"])
def test_read_understands_every_kind_of_pcap(tmp_path: Path, order: str, magic: int) -> None:
    path = tmp_path / "trace"
    path.write_bytes(pcap(RECORDS, order=order, magic=magic))
    assert contents(everything(path)) == EXPECTED


@pytest.mark.parametrize(
    "compress",
    [
        gzip.compress,
        zstandard.ZstdCompressor().compress,
        lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:]) + bytes(300),
        lambda data: b"".join(map(zstandard.ZstdCompressor().compress, (data[:50], data[50:]))),
    ],
    ids=["gz", "zst", "gz members and padding", "zst frames"],
)
def test_read_tells_compression_by_magic(tmp_path: Path, compress) -> None:
    path = tmp_path / "no-suffix"
    path.write_bytes(compress(pcap(RECORDS)))
    assert contents(everything(path)) == EXPECTED


def test_read_inflates_gzip_without_isal(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    capture.write_bytes(gzip.compress(capture.read_bytes()))
    assert contents(everything(capture)) == EXPECTED


def test_read_accepts_a_path_as_text(capture: Path) -> None:
    assert len(next(read(str(capture)))) == 3


def test_read_makes_batches_no_larger_than_asked(capture: Path) -> None:
    assert [len(frames) for frames in read(capture, batch_packets=2)] == [2, 1]
    assert contents(everything(capture, batch_packets=1)) == EXPECTED


def test_batches_stay_valid_when_the_next_is_read(tmp_path: Path) -> None:
    traffic = generate("zipf-1.0", 150_000, 1)
    path = tmp_path / "long.pcap"
    with path.open("wb") as file:
        write_pcap(file, frames_for(*traffic))
    batches = list(read(path))
    assert len(batches) > 2
    keys = np.concatenate([parse(frames).keys(SRC) for frames in batches])
    assert np.array_equal(keys, traffic.keys)


def test_write_pcap_round_trips_batches() -> None:
    first, second = Frames.from_bytes([b"x" * 20], [T], [99]), Frames.from_bytes([b"y" * 14], [T])
    file = io.BytesIO()
    write_pcap(file, [first, second])
    records = [(T, b"x" * 20, 99), (T, b"y" * 14, 14)]
    assert file.getvalue() == pcap(records, magic=0xA1B23C4D, snaplen=262144)


@pytest.mark.parametrize("link", [12, 14, 101, 228, 229])
def test_raw_frames_get_an_ethernet_header(tmp_path: Path, link: int) -> None:
    path = tmp_path / "raw.pcap"
    bodies = [b"\x45" + bytes(19), b"\x60" + bytes(39), b"\x12\x34", b""]
    path.write_bytes(pcap([(T, body, len(body) + 5) for body in bodies], link=link))
    types = [b"\x08\x00", b"\x86\xdd", b"\0\0", b"\0\0"]
    expected = [bytes(12) + t + b + bytes(5) for t, b in zip(types, bodies, strict=True)]
    assert [frame for _, frame in contents(everything(path))] == expected


def test_info_counts_what_was_read(capture: Path) -> None:
    reader = TraceReader(capture)
    for _ in reader:
        pass
    info = reader.info
    assert (info.format, info.link_types, info.packets) == ("pcap", (1,), 3)
    assert (info.bytes, info.clipped) == (60 + 1514 + 14, 0)
    assert (info.first_ns, info.last_ns) == (T - 1_000_000, T + 5_000)


def test_a_reader_starts_again_for_each_iteration(capture: Path) -> None:
    reader = TraceReader(capture)
    assert [len(list(reader)), len(list(reader)), reader.info.packets] == [1, 1, 3]


def test_lengths_no_frame_can_have_are_clipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "long.pcap"
    records = [(T, b"a" * 20, LONGEST_FRAME), (T, b"b" * 20, 2**32 - 1), (T, b"c" * 70_000, 70_000)]
    path.write_bytes(pcap(records, snaplen=262_144))
    reader = TraceReader(path)
    (frames,) = reader
    assert frames.lengths.tolist() == [LONGEST_FRAME] * 3
    assert frames.captured.tolist() == [20, 20, LONGEST_FRAME]
    assert reader.info.clipped == 2


def test_more_captured_than_the_original_length_is_cut_to_it(tmp_path: Path) -> None:
    path = tmp_path / "odd.pcap"
    path.write_bytes(pcap([(T, b"abcdef" * 5, 14)]))
    assert contents(everything(path)) == [(T, (b"abcdef" * 5)[:14])]


def test_a_frame_check_sequence_in_the_header_does_not_hide_the_link_type(tmp_path: Path) -> None:
    path = tmp_path / "fcs.pcap"
    path.write_bytes(pcap(RECORDS, link=0x5400_0001))
    assert contents(everything(path)) == EXPECTED


def failure(path: Path) -> tuple[int, str]:
    """Return how many packets came before the error, and its message."""
    batches: list[int] = []
    with pytest.raises(TraceError) as caught:
        batches.extend(len(frames) for frames in read(path))
    assert str(caught.value) == f"{caught.value.problem}; {caught.value.try_}"
    return sum(batches), str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert failure(tmp_path / "no") == (0, f"{tmp_path}/no: no such file; check the path")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    reason = "cannot be read (Is a directory); check the path and its rights"
    assert failure(tmp_path) == (0, f"{tmp_path}: {reason}")


@pytest.mark.parametrize("data", [b"", gzip.compress(b"")], ids=["plain", "gz"])
def test_an_empty_file_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(data)
    text = "the file is empty; capture again, or name another file"
    assert failure(path) == (0, f"{path}: {text}")


def test_a_capture_without_packets_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.pcap"
    path.write_bytes(pcap([]))
    text = "holds no packets; capture again, or name another file"
    assert failure(path) == (0, f"{path}: {text}")


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"ab"], ids=["long", "short"])
def test_an_unknown_file_type_shows_its_first_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "paper.pcap"
    path.write_bytes(data)
    packets, text = failure(path)
    assert packets == 0
    assert f"{path}: neither pcap nor pcapng (it begins with {data[:4].hex(' ')}); give a" in text


def test_a_cut_file_header_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap([])[:23])
    text = "cut short in the file header; get the whole file again"
    assert failure(path) == (0, f"{path}: {text}")


def test_an_unknown_pcap_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "old.pcap"
    path.write_bytes(pcap(RECORDS, version=1))
    assert failure(path) == (0, f"{path}: pcap version 1.4; save it as pcap 2.4 or pcapng")


def test_a_file_cut_in_a_record_yields_the_packets_before(capture: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-3])
    packets, text = failure(capture)
    assert packets == 2
    assert text == (
        f"{capture}: packet 3, byte 136: the file ends in the middle of a record "
        "(whole packets before: 2); get the whole file again"
    )


@pytest.mark.parametrize("link", [0, 113, 276])
def test_an_unsupported_link_type_is_named(tmp_path: Path, link: int) -> None:
    path = tmp_path / "any.pcap"
    path.write_bytes(pcap(RECORDS, link=link))
    packets, text = failure(path)
    assert packets == 0
    assert text.startswith(f"{path}: unsupported link type {link}; capture on an Ethernet")


def test_a_corrupt_record_yields_the_packets_before(tmp_path: Path) -> None:
    path = tmp_path / "bad.pcap"
    path.write_bytes(pcap(RECORDS[:2]) + b"\xff" * 40)
    packets, text = failure(path)
    assert packets == 2
    assert text == (
        f"{path}: packet 3, byte 136: corrupt record: it claims 4,294,967,295 captured bytes, "
        "at most 262,144 fit; capture again, or cut the file before it"
    )


def test_a_record_beyond_the_snaplen_that_is_plausible_is_read(tmp_path: Path) -> None:
    path = tmp_path / "snap.pcap"
    path.write_bytes(pcap([(T, b"a" * 1000, 1000)], snaplen=96))
    assert contents(everything(path)) == [(T, b"a" * 1000)]


def test_a_record_larger_than_a_block_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.pcap"
    huge = b"h" * (6 << 20)
    path.write_bytes(pcap([RECORDS[0], (T, huge, len(huge)), RECORDS[2]], snaplen=8 << 20))
    frames = everything(path)
    assert [len(frames.frame(i)) for i in range(3)] == [60, LONGEST_FRAME, 14]


@pytest.mark.parametrize(
    ("compress", "name"),
    [(gzip.compress, "gzip"), (zstandard.ZstdCompressor().compress, "zstd")],
    ids=["gz", "zst"],
)
def test_a_cut_stream_yields_the_packets_before(tmp_path: Path, compress, name: str) -> None:
    noise = np.random.default_rng(1).bytes(600_000)
    records = [(T, noise[i : i + 1000], 1000) for i in range(0, len(noise), 1000)]
    path = tmp_path / "cut"
    path.write_bytes(compress(pcap(records))[:-300_000])
    packets, text = failure(path)
    assert 100 < packets < 500
    assert text == (
        f"{path}: the {name} stream is cut short (whole packets before: {packets:,}); "
        "get the whole file again"
    )


@pytest.mark.parametrize(
    ("compress", "name"),
    [(gzip.compress, "gzip"), (zstandard.ZstdCompressor(write_checksum=True).compress, "zstd")],
    ids=["gz", "zst"],
)
def test_a_corrupt_stream_is_named(tmp_path: Path, compress, name: str) -> None:
    path = tmp_path / "corrupt"
    good = compress(pcap(RECORDS))
    path.write_bytes(good[:-4] + bytes(b ^ 0xFF for b in good[-4:]))
    _, text = failure(path)
    assert f"{path}: the {name} stream is corrupt (" in text
    assert text.endswith("; get the file again")


def test_closing_an_iteration_early_closes_the_file(capture: Path) -> None:
    frames = read(capture, batch_packets=1)
    next(frames)
    frames.close()  # a file left open would warn, and warnings are errors here


def test_a_raw_header_never_overwrites_the_packet_before(tmp_path: Path) -> None:
    path = tmp_path / "simple.pcapng"
    bodies = [b"\x45" + bytes([i]) * 19 for i in range(3)]
    blocks = b"".join(simple(body, len(body)) for body in bodies)
    path.write_bytes(section() + interface(link=101) + blocks)
    header = bytes(12) + b"\x08\x00"
    assert [frame for _, frame in contents(everything(path))] == [header + b for b in bodies]


def test_generated_traffic_survives_a_capture(tmp_path: Path) -> None:
    traffic = generate("caida-2016", 20_000, 7, key=FLOW, ipv6_share=0.3)
    path = tmp_path / "generated.pcap"
    with path.open("wb") as file:
        write_pcap(file, frames_for(*traffic))
    parsed = parse(everything(path))
    assert np.array_equal(parsed.keys(FLOW), traffic.keys)
    assert np.array_equal(parsed.lengths, traffic.lengths)


# Counted by an independent dissector: file, packets, not IP, sources, link type.
REAL = [
    ("dev-merged-manysrc-60s", 171_534, 7_553, 22_860, 1),
    ("dev-mixed-60s", 145_280, 7_549, 3_103, 1),
    ("dev-ddos-manysrc", 26_254, 4, 19_759, 1),
    ("dev-raw-snap64", 163_980, 0, 22_860, 101),
    ("dev-edge-l2l3", 5_086, 1_077, 389, 1),
]


@pytest.mark.parametrize(("name", "packets", "not_ip", "sources", "link"), REAL)
def test_real_captures_hold_what_another_dissector_found(
    name: str, packets: int, not_ip: int, sources: int, link: int
) -> None:
    folder = os.environ.get("GLIMPSE_TRACES")
    if not folder:
        pytest.skip("real captures not given: set GLIMPSE_TRACES=FOLDER (generated ones are read)")
    path = Path(folder) / f"{name}.pcap.gz"
    if not path.exists():
        pytest.skip(f"GLIMPSE_TRACES={folder} holds no {path.name}")
    reader = TraceReader(path)
    parsed = [parse(frames) for frames in reader]
    outcomes = np.concatenate([one.outcomes for one in parsed])
    keys = np.concatenate([one.keys(SRC)[one.outcomes == Outcome.IP] for one in parsed])
    assert (reader.info.packets, reader.info.link_types) == (packets, (link,))
    assert int((outcomes == Outcome.NOT_IP).sum()) == not_ip
    assert len(np.unique(keys, axis=0)) == sources

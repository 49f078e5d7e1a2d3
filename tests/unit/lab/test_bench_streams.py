from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lab.bench import streams
from lab.bench.shares import lay_out
from lab.bench.streams import KeyStream
from lab.errors import BadInput, UsageError_
from simulator.frames import Frames
from simulator.layout import FLOW, KEYS, SRC
from simulator.traces import write_pcap
from simulator.traffic import frames_for, keys_of

ZIPF = [name for name in streams.STREAMS if name != streams.FRESH]


def rows(keys: np.ndarray) -> list[bytes]:
    return [key.tobytes() for key in keys]


def capture(path: Path, senders: list[int]) -> Path:
    with path.open("wb") as file:
        write_pcap(file, frames_for(keys_of(np.array(senders), FLOW, 1)))
    return path


@pytest.mark.parametrize("key", list(KEYS))
def test_distinct_stream_never_repeats_a_key(key: str) -> None:
    stream = streams.draw("distinct", 5000, 100, KEYS[key], 1)
    assert stream.fresh
    assert len(stream.population) == 0
    assert len(set(rows(stream.keys))) == len(stream.keys) == stream.n_keys == 5000


@pytest.mark.parametrize("name", ZIPF)
def test_population_has_every_key_once(name: str) -> None:
    stream = streams.draw(name, 500, 3000, SRC, 1)
    assert not stream.fresh
    assert len(set(rows(stream.population))) == len(stream.population) == 500
    assert set(rows(stream.keys)) <= set(rows(stream.population))
    assert stream.keys.shape == (3000, SRC.words)


def test_higher_alpha_is_more_skewed() -> None:
    def largest_share(name: str) -> float:
        keys = rows(streams.draw(name, 500, 20_000, SRC, 1).keys)
        return max(keys.count(key) for key in set(keys)) / len(keys)

    shares = [largest_share(name) for name in ZIPF]
    assert shares == sorted(shares)


def test_same_seed_same_stream_and_another_seed_another() -> None:
    one, same, other = (streams.draw("zipf-1.1", 50, 200, SRC, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.keys, same.keys)
    assert not np.array_equal(one.keys, other.keys)


@pytest.mark.parametrize("key", list(KEYS))
def test_trace_gives_its_ip_packets_in_order(key: str, tmp_path: Path) -> None:
    path = capture(tmp_path / "a.pcap", [3, 1, 3, 2])
    stream = streams.from_trace("trace-a", path, KEYS[key])
    assert stream.n_keys == 3
    assert np.array_equal(stream.keys, keys_of(np.array([3, 1, 3, 2]), KEYS[key], 1))
    assert not stream.fresh


def test_trace_without_ip_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "arp.pcap"
    with path.open("wb") as file:
        write_pcap(file, Frames.from_bytes([bytes(60)]))
    with pytest.raises(BadInput, match=r"arp\.pcap holds no IP packet"):
        streams.from_trace("trace-arp", path, SRC)


def test_missing_trace_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        streams.from_trace("trace-gone", tmp_path / "gone.pcap", SRC)


def test_traces_are_named_after_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "morning.pcap.gz").touch()
    monkeypatch.setenv("GLIMPSE_TRACES", str(tmp_path))
    found = streams.traces(("/elsewhere/evening.pcapng.zst",))
    assert list(found) == ["trace-morning", "trace-evening"]


def test_two_captures_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIMPSE_TRACES", raising=False)
    with pytest.raises(UsageError_, match=r"a/x\.pcap and b/x\.pcap would both be trace-x"):
        streams.traces(("a/x.pcap", "b/x.pcap"))


def test_one_cpu_gets_the_stream_as_it_is() -> None:
    stream = streams.draw("zipf-1.0", 50, 300, SRC, 1)
    layout = lay_out(stream, 1)
    ((first, start, stop),) = layout.shares
    assert np.array_equal(layout.keys[first:start], stream.population)
    assert np.array_equal(layout.keys[start:stop], stream.keys)


def test_several_cpus_share_no_key_and_get_equally_many_packets() -> None:
    stream = streams.draw("zipf-1.1", 200, 2000, SRC, 1)
    layout = lay_out(stream, 3)
    parts = [set(rows(layout.keys[share.first : share.stop])) for share in layout.shares]
    assert set.union(*parts) == set(rows(stream.population))
    assert sum(len(part) for part in parts) == 200  # none is on two
    assert len({share.packets for share in layout.shares}) == 1
    assert layout.packets == sum(share.packets for share in layout.shares) > 600


def test_share_keeps_the_order_of_its_packets() -> None:
    keys = keys_of(np.arange(100), SRC, 1)
    layout = lay_out(KeyStream("distinct", 100, keys[:0], keys, fresh=True), 2)
    place = {key: i for i, key in enumerate(rows(keys))}
    for share in layout.shares:
        order = [place[key] for key in rows(layout.keys[share.start : share.stop])]
        assert order == sorted(order)

from __future__ import annotations

from verifier_diary.loops import Skipped, collapse


def collapsed(text: str) -> str:
    parts = collapse(text, lambda letter: letter)
    return "".join(f"<{p.iterations}>" if isinstance(p, Skipped) else p for p in parts)


def test_a_loop_is_shown_by_its_first_and_last_iteration() -> None:
    assert collapsed("xabcabcabcabcy") == "xabc<2>abcy"


def test_two_iterations_are_both_shown() -> None:
    assert collapsed("abab") == "abab"


def test_a_loop_of_one_item_is_collapsed() -> None:
    assert collapsed("aaaaa") == "a<3>a"


def test_loops_one_after_another_are_collapsed_each() -> None:
    assert collapsed("aaabbb") == "a<1>ab<1>b"


def test_skipped_items_are_counted() -> None:
    (skipped,) = [p for p in collapse("ababab", str) if isinstance(p, Skipped)]
    assert skipped == Skipped(iterations=1, items=2)


def test_a_long_sequence_is_collapsed() -> None:
    assert len(collapse(list(range(100)) * 500, lambda n: n)) == 201

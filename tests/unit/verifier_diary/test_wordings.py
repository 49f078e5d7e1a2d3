from __future__ import annotations

import pytest

from verifier_diary.classes import BY_ID, class_of
from verifier_diary.wordings import KERNELS, WORDINGS, of_class

# What 6.1 and 6.12 say of a wrong tail call is what they say of their own faults, too.
AMBIGUOUS = {"kernel subsystem misconfigured verifier": "internal"}
TEXTS = [(wording.class_id, text) for wording in WORDINGS for _, text in wording.texts]


@pytest.mark.parametrize(("class_id", "text"), TEXTS)
def test_every_wording_is_classified(class_id: str, text: str) -> None:
    found = class_of(text)
    assert found is not None
    assert found[1] == AMBIGUOUS.get(text, class_id)


def test_wordings_are_of_known_classes_and_kernels_in_order() -> None:
    for wording in WORDINGS:
        assert wording.class_id in BY_ID
        places = [KERNELS.index(kernel) for kernel, _ in wording.texts]
        assert places == sorted(set(places))
        assert wording.note or len(places) > 1


def test_a_class_may_have_several_or_none() -> None:
    assert len(of_class("stack_bounds")) == 2
    assert of_class("jit") == ()

"""docqa's parsers raise what they promise and nothing else, whatever they are given.

The long run is ``python -m benchmarks.load.fuzz``; what it found once is kept here as a case.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.fuzz_targets import Target, attack, targets
from tests.faults.minimal_pdf import image_stream, page_pdf
from tests.faults.mutations import mutated

_INPUTS = 150
_SETTINGS = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("name", sorted(targets()))
def test_every_seed_is_valid(name: str) -> None:
    target = targets()[name]
    assert target.seeds
    for seed in target.seeds:
        target.run(seed)


@pytest.mark.parametrize("name", sorted(targets()))
def test_mutations_of_valid_input_break_no_promise(name: str) -> None:
    target = targets()[name]
    for number in range(_INPUTS):
        chance = random.Random(f"{name}/test/{number}")
        data = mutated(chance, target.seeds, target.tokens)
        assert attack(name, data) is None, (name, number)


@pytest.mark.parametrize("name", sorted(targets()))
def test_arbitrary_bytes_break_no_promise(name: str) -> None:
    @_SETTINGS
    @given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
    def never_more_than_promised(data: bytes) -> None:
        assert attack(name, data) is None

    never_more_than_promised()


def test_a_broken_promise_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> object:
        return 1 // len(data)

    monkeypatch.setattr(
        "tests.faults.fuzz_targets.targets", lambda: {"broken": Target(broken, (), (b"",))}
    )
    assert attack("broken", b"x") is None
    told = attack("broken", b"")
    assert told is not None and told.startswith("ZeroDivisionError at ")


def test_mutations_are_the_same_every_time_and_differ_from_their_seed() -> None:
    seeds = targets()["jpeg"].seeds
    made = [mutated(random.Random(at), seeds, ()) for at in range(50)]
    assert made == [mutated(random.Random(at), seeds, ()) for at in range(50)]
    assert sum(data not in seeds for data in made) > 45


@pytest.mark.parametrize(("width", "height"), [(0, 64), (64, 0)])
def test_a_picture_without_pixels_under_a_mask_is_no_crash(width: int, height: int) -> None:
    mask = image_stream(b"\0" * 4096, 64, 64, colour_space=b"/DeviceGray", bits=8)
    picture = image_stream(
        b"\0" * 64, width, height, colour_space=b"/DeviceGray", bits=8, more=b"/SMask 6 0 R"
    )
    data = page_pdf(b"64 0 0 48 0 0 cm /X0 Do", [(b"X0", picture), (b"", mask)], size_pt=(64, 48))
    assert attack("pdf", data) is None

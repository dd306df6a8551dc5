"""Replays what is recorded, and a short run of each target, with every ordinary test run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.mutation import Mutator
from tests.fuzz.target import TARGETS, Target

RECORDED = [(target, path) for target in TARGETS for path in target.recorded()]


@pytest.mark.parametrize(("target", "path"), RECORDED, ids=[f"{each.name}/{path.stem}" for each, path in RECORDED])
def test_recorded_input_is_harmless(target: Target, path: Path) -> None:
    target.check(bytes.fromhex(path.read_text(encoding="ascii")))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_seeds_and_their_mutations_are_harmless(target: Target) -> None:
    seeds = list(target.seeds())
    for seed in seeds:
        target.check(seed)
    mutator = Mutator(seeds, target.dictionary, 20_240_104)
    for _ in range(60 if target.name == "config" else 600):
        target.check(mutator.mutated())
    for _ in range(60 if target.name == "config" else 600):
        target.check(mutator.random(512))

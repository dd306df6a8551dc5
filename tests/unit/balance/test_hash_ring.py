import random

import pytest

from gateway.balance.hash_ring import HashRing, key_point, points_of


def test_points_are_the_little_endian_words_of_the_digests() -> None:
    # `printf 10.0.0.1:208800 | md5sum` gives the bytes; the first word is read from the low end.
    import hashlib

    digest = hashlib.md5(b"10.0.0.1:208800").hexdigest()
    first = int("".join(reversed([digest[at : at + 2] for at in range(0, 8, 2)])), 16)
    assert points_of("10.0.0.1:20880", 4)[0] == first
    assert len(points_of("10.0.0.1:20880", 160)) == 160
    assert points_of("10.0.0.1:20880", 160)[:8] == points_of("10.0.0.1:20880", 8)


class Plain:
    """A ring as a sorted list."""

    def __init__(self) -> None:
        self.points: list[tuple[int, str]] = []

    def owner(self, point: int) -> str:
        ordered = sorted(self.points)
        return next((owner for at, owner in ordered if at >= point), ordered[0][1])


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_a_sorted_list_is(seed: int) -> None:
    rng = random.Random(seed)
    ring: HashRing[str] = HashRing(str)
    plain = Plain()
    names = [f"n{number}" for number in range(12)]
    held: dict[str, tuple[int, ...]] = {}
    for step in range(40):
        name = names[rng.randrange(12)]
        if name in held:
            points = held.pop(name)
            ring.remove(name, points)
            plain.points = [each for each in plain.points if each[1] != name]
        else:
            # Few different points, so that several owners share some.
            held[name] = points = tuple(rng.sample(range(0, 2**32, 2**27), 5))
            ring.add(name, points)
            plain.points += [(point, name) for point in points]
        if step % 10 == 9:
            ring = ring.copy()
        assert len(ring) == len(plain.points)
        if held:
            for point in (0, 2**32 - 1, *(rng.randrange(2**32) for _ in range(20))):
                assert ring.owner(point) == plain.owner(point)
                walked = list(ring.walk(point))
                assert walked[0] == plain.owner(point)
    again: HashRing[str] = HashRing(str)
    again.fill(list(held), list(held.values()))
    assert list(again.walk(0)) == list(ring.walk(0))


def test_walking_goes_around_once() -> None:
    ring: HashRing[str] = HashRing(str)
    ring.add("a", [5, 2**31])
    ring.add("b", [2**32 - 1])
    assert list(ring.walk(6)) == ["a", "b", "a"]
    assert key_point(b"") == int.from_bytes(bytes.fromhex("d41d8cd9"), "little")

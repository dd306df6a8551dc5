"""Writes down what happens in a run, while it happens."""

from __future__ import annotations

from array import array

from bench.cluster.record import Record, zeros
from bench.cluster.world import World
from gateway.model.errors import RpcError

__all__ = ["Recorder"]


class Recorder:
    """Fills one `Record`; see there for what counts where."""

    def __init__(self, world: World, duration_s: float, bucket_s: float, hops: int = 1) -> None:
        buckets = max(1, round(duration_s / bucket_s))
        self.record = Record(
            bucket_s,
            buckets,
            latencies=[array("d") for _ in range(buckets)],
            began=zeros(buckets),
            lost=zeros(buckets),
            moved=zeros(buckets),
            relayed=[zeros(buckets) for _ in range(hops - 1)],
        )
        self._world = world
        self._executed: set[int] = set()
        self._placed: dict[object, int] = {}

    def add_provider(self) -> int:
        """The index of one more provider."""
        self.record.attempts.append(zeros(self.record.buckets))
        return len(self.record.attempts) - 1

    def received(self, index: int, argument: object) -> None:
        """A provider got an attempt."""
        record = self.record
        bucket = self._bucket(self._world.now)
        record.attempts[index][bucket] += 1
        placed = self._placed.get(argument)
        if placed != index:
            self._placed[argument] = index
            if placed is None:
                record.arguments += 1
            else:
                record.moved[bucket] += 1

    def relay(self, hop: int) -> None:
        """A gateway in between got an attempt."""
        self.record.relayed[hop][self._bucket(self._world.now)] += 1

    def refused(self) -> None:
        """A provider refused an attempt for being full."""
        self.record.refusals += 1

    def executed(self, call_id: int) -> None:
        """A provider begins to work at a call."""
        self.record.executions += 1
        if call_id in self._executed:
            self.record.doubled += 1
        else:
            self._executed.add(call_id)

    def call_begins(self) -> None:
        """A call comes in at a gateway."""
        self.record.began[self._bucket(self._world.now)] += 1
        self.record.unfinished += 1

    def call_ended(self, began: float, error: RpcError | None) -> None:
        """It has an answer, or an error."""
        record = self.record
        record.unfinished -= 1
        bucket = self._bucket(began)
        if error is None:
            record.latencies[bucket].append(self._world.now - began)
        else:
            record.lost[bucket] += 1
            record.errors[error.code] += 1

    def _bucket(self, when: float) -> int:
        # What comes after the end, while the last calls are finished, goes with the end.
        return min(self.record.buckets - 1, int((when - self._world.begin) / self.record.bucket_s))

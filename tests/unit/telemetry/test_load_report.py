import pytest

from gateway.telemetry.load_report import LoadReport, LoadSampler, parse_report
from tests.support.fake_clock import FakeClock


# The texts are what ProfilerServerFilter of Dubbo 3.3 puts together, and what a peer might make of it.
@pytest.mark.parametrize(
    ("text", "report"),
    [
        ("curTime:1767225600000,load:12.5", LoadReport(1767225600000, 12.5)),
        ("curTime:1767225600000,load:0.0,mem:43.2", LoadReport(1767225600000, 0.0)),
        ("load:7", LoadReport(0, 7.0)),
        ("load:7,,x,a:b:c", LoadReport(0, 7.0)),
        ("curTime:1767225600000", None),
        ("curTime:1,load:-1.0", None),
        ("curTime:1,load:NaN", None),
        ("curTime:1,load:1e308", None),
        ("curTime:1,load:1.2.3", None),
        ("curTime:x,load:1", None),
        ("load:" + "9" * 400, None),
        ("load:٣", None),
        ("", None),
        (None, None),
        (7, None),
        ("load:1," * 100_000, None),
    ],
)
def test_reports_are_read_or_passed_over(text: object, report: LoadReport | None) -> None:
    assert parse_report(text) == report


class Machine:
    def __init__(self) -> None:
        self.cpu = 5.0
        self.load: float | None = 20.0
        self.memory: float | None = 50.0
        self.asked = 0

    def loaded(self) -> float | None:
        self.asked += 1
        return self.load


def sampler(machine: Machine, clock: FakeClock) -> LoadSampler:
    wall = lambda: 1_767_225_600.5  # noqa: E731
    return LoadSampler(1.0, clock, wall, lambda: machine.cpu, machine.loaded, lambda: machine.memory)


def test_a_report_says_what_dubbo_reads() -> None:
    text = sampler(Machine(), FakeClock()).text()
    assert text == "curTime:1767225600500,load:20.00,mem:50.00"
    assert parse_report(text) == LoadReport(1767225600500, 20.0)


def test_figures_are_taken_once_in_a_while_not_per_call() -> None:
    machine, clock = Machine(), FakeClock()
    reports = sampler(machine, clock)
    for _ in range(1_000):
        reports.text()
    assert machine.asked == 1
    clock.advance(1.0)
    machine.load = 30.0
    assert "load:30.00" in reports.text()
    assert machine.asked == 2


def test_an_event_loop_at_its_end_counts_more_than_idle_processors() -> None:
    machine, clock = Machine(), FakeClock()
    reports = sampler(machine, clock)
    reports.text()
    clock.advance(2.0)
    machine.cpu += 1.9
    assert "load:95.00" in reports.text()


def test_what_the_system_does_not_say_is_left_out() -> None:
    machine = Machine()
    machine.load = machine.memory = None
    assert sampler(machine, FakeClock()).text() == "curTime:1767225600500,load:0.00"


def test_this_machine_can_be_asked() -> None:
    report = parse_report(LoadSampler().text())
    assert report is not None
    assert report.load >= 0.0

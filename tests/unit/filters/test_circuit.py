from collections.abc import Sequence

from gateway.filters.circuit import SLOTS, Circuit, CircuitRules, State

WINDOW_S = 10.0
RULES = CircuitRules(
    share=0.5,
    min_calls=4,
    window_s=WINDOW_S,
    consecutive=0,
    open_s=5.0,
    max_open_s=60.0,
    growth=2.0,
    probes=1,
    slots_per_s=SLOTS / WINDOW_S,
)
GOOD, BAD, NOTHING = True, False, None


def call(circuit: Circuit, now: float, outcome: bool | None, rules: CircuitRules = RULES) -> bool:
    """One call that takes no time; whether it could begin."""
    epoch = circuit.enter(now, rules)
    if epoch is None:
        return False
    circuit.leave(epoch, outcome, now, rules)
    return True


def calls(circuit: Circuit, now: float, outcomes: Sequence[bool | None], rules: CircuitRules = RULES) -> State:
    for each in outcomes:
        call(circuit, now, each, rules)
    return circuit.state


def opened(now: float, rules: CircuitRules = RULES) -> Circuit:
    circuit = Circuit(now)
    assert calls(circuit, now, [BAD] * rules.min_calls, rules) is State.OPEN
    return circuit


def test_it_opens_at_the_share_of_trouble_and_not_before_there_are_enough_calls() -> None:
    assert calls(Circuit(100), 100, [BAD] * 3) is State.CLOSED
    assert calls(Circuit(100), 100, [GOOD, GOOD, GOOD, BAD]) is State.CLOSED
    assert calls(Circuit(100), 100, [GOOD, BAD, GOOD, BAD]) is State.OPEN


def test_what_says_nothing_counts_for_nothing() -> None:
    assert calls(Circuit(100), 100, [BAD, BAD, BAD, NOTHING, NOTHING]) is State.CLOSED


def test_the_window_slides() -> None:
    circuit = Circuit(100)
    calls(circuit, 100, [BAD, BAD, BAD])
    # A tenth of the window at a time: what is older than the window never counts.
    calls(circuit, 111, [GOOD, GOOD, GOOD, GOOD])
    assert calls(circuit, 112, [BAD, BAD, BAD]) is State.CLOSED
    assert calls(circuit, 112, [BAD]) is State.OPEN


def test_trouble_within_the_window_counts_however_it_is_spread() -> None:
    circuit = Circuit(100)
    for second in range(4):
        calls(circuit, 100 + 2 * second, [BAD])
    assert circuit.state is State.OPEN


def test_trouble_in_a_row_opens_it_where_that_is_a_rule() -> None:
    rules = RULES._replace(consecutive=3, min_calls=1_000)
    assert calls(Circuit(100), 100, [BAD, BAD, GOOD, BAD, BAD], rules) is State.CLOSED
    assert calls(Circuit(100), 100, [GOOD, BAD, BAD, BAD], rules) is State.OPEN


def test_an_open_one_lets_nothing_through_until_its_time_is_over_and_then_one_probe() -> None:
    circuit = opened(100)
    assert circuit.enter(104.9, RULES) is None
    assert circuit.wait_s(104.0) == 1.0
    probe = circuit.enter(105, RULES)
    assert probe is not None
    assert circuit.state is State.HALF_OPEN
    assert circuit.enter(105, RULES) is None
    circuit.leave(probe, GOOD, 105.5, RULES)
    assert circuit.state is State.CLOSED
    assert calls(circuit, 105.5, [BAD] * 3) is State.CLOSED


def test_each_failed_probe_makes_it_stay_open_longer_up_to_a_bound() -> None:
    circuit, now, waits = opened(100), 100.0, []
    for _ in range(100):
        wait_s = circuit.wait_s(now)
        assert wait_s is not None
        waits.append(wait_s)
        now += wait_s
        assert call(circuit, now, BAD)
    assert waits[:6] == [5, 10, 20, 40, 60, 60]
    assert waits[-1] == 60


def test_a_good_while_makes_it_begin_anew_and_a_short_one_does_not() -> None:
    circuit = opened(100)
    call(circuit, 105, GOOD)
    calls(circuit, 106, [BAD] * 4)
    assert circuit.wait_s(106) == 10
    call(circuit, 116, GOOD)
    calls(circuit, 116 + WINDOW_S + 1, [BAD] * 4)
    assert circuit.wait_s(116 + WINDOW_S + 1) == 5


def test_several_probes_must_all_go_well() -> None:
    rules = RULES._replace(probes=3)
    circuit = opened(100)
    probes = [circuit.enter(105, rules) for _ in range(4)]
    assert probes[3] is None
    for each in probes[:2]:
        assert each is not None
        circuit.leave(each, GOOD, 105, rules)
        assert circuit.state is State.HALF_OPEN
    assert call(circuit, 105, BAD, rules)
    assert circuit.state is State.OPEN


def test_a_probe_that_says_nothing_makes_room_for_another() -> None:
    circuit = opened(100)
    assert call(circuit, 105, NOTHING)
    assert circuit.state is State.HALF_OPEN
    assert call(circuit, 105, GOOD)
    assert circuit.state is State.CLOSED


def test_probes_that_do_not_end_do_not_keep_it_half_open_for_ever() -> None:
    circuit = opened(100)
    lost = circuit.enter(105, RULES)
    assert lost is not None
    assert circuit.enter(109.9, RULES) is None
    assert call(circuit, 110, GOOD)
    assert circuit.state is State.CLOSED
    circuit.leave(lost, BAD, 111, RULES)
    assert circuit.state is State.CLOSED


def test_calls_that_began_before_it_opened_say_nothing_about_the_way_back() -> None:
    circuit = Circuit(100)
    late = [circuit.enter(100, RULES) for _ in range(10)]
    calls(circuit, 100, [BAD] * 4)
    circuit.enter(105, RULES)
    for each in late:
        assert each is not None
        circuit.leave(each, GOOD, 106, RULES)
    assert circuit.state is State.HALF_OPEN
    assert circuit.enter(106, RULES) is None


def test_it_may_be_forgotten_when_it_has_nothing_to_tell() -> None:
    circuit = Circuit(100)
    assert circuit.is_idle(100, RULES)
    calls(circuit, 100, [BAD])
    assert not circuit.is_idle(105, RULES)
    assert circuit.is_idle(112, RULES)
    circuit = opened(100)
    assert not circuit.is_idle(105, RULES)
    assert circuit.is_idle(115, RULES)
    circuit.enter(115, RULES)
    assert not circuit.is_idle(1_000, RULES)


def test_another_window_begins_anew() -> None:
    circuit = Circuit(1_000)
    calls(circuit, 1_000, [BAD] * 3)
    longer = RULES._replace(window_s=100.0, slots_per_s=SLOTS / 100.0)
    assert calls(circuit, 1_000, [BAD] * 3, longer) is State.CLOSED
    assert calls(circuit, 1_000, [BAD], longer) is State.OPEN

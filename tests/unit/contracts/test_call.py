from gateway.contracts.call import NO_CALL, Call
from gateway.model.call import Invocation, Peer
from gateway.model.endpoint import ServiceKey


def test_a_call_says_what_the_invocation_said() -> None:
    invocation = Invocation(
        ServiceKey("demo.Types"),
        "echo",
        (),
        attachments={"user": "ann"},
        deadline=12.5,
        traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        peer=Peer("dubbo", "127.0.0.1:5"),
        consumer="shop",
    )
    call = Call.of(invocation)
    assert call.attachments == {"user": "ann"}
    assert (call.deadline, call.peer, call.consumer) == (12.5, Peer("dubbo", "127.0.0.1:5"), "shop")
    assert call.traceparent == invocation.traceparent
    assert call.reply_attachments == {}


def test_calls_do_not_share_what_they_send_back() -> None:
    first, second = Call(), Call()
    first.reply_attachments["a"] = "b"
    assert second.reply_attachments == {}


def test_no_call_says_nothing() -> None:
    assert (dict(NO_CALL.attachments), NO_CALL.deadline, NO_CALL.peer, NO_CALL.consumer) == ({}, None, None, "")

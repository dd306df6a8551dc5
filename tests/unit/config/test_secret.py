"""Secrets do not show."""

from __future__ import annotations

import copy
import logging
import pickle

import pytest

from gateway.config.secret import Secret


def test_no_form_of_it_shows_the_value(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("hunter2")
    logging.getLogger("test").warning("%s %r", secret, secret)

    for shown in (str(secret), repr(secret), f"{secret}", f"{secret:>10}", "%s" % secret, repr([secret]), caplog.text):  # noqa: UP031
        assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


def test_it_cannot_be_pickled() -> None:
    secret = Secret("hunter2")

    with pytest.raises(TypeError) as caught:
        pickle.dumps(secret)

    assert "hunter2" not in str(caught.value)


def test_copies_are_the_object_itself() -> None:
    secret = Secret("x")

    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_it_compares_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("ä\ud800") == Secret("ä\ud800")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_an_empty_one_is_false() -> None:
    assert not Secret("")
    assert Secret("0")

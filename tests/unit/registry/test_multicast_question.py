from __future__ import annotations

import pytest

from gateway.model.endpoint import ServiceKey
from registry.multicast.question import EVERYTHING, Answer, Question, question_url

PROVIDER = "dubbo://10.0.0.5:20880/demo.Catalog?group=blue&interface=demo.Catalog&side=provider&version=1.2.0"
# What Dubbo 2.7 sends, shortened.
JAVA = (
    "consumer://10.0.0.7/demo.Catalog?application=shop&category=providers,configurators,routers&dubbo=2.0.2&group=blue"
    "&interface=demo.Catalog&methods=find&pid=1&side=consumer&sticky=false&timestamp=1&version=1.2.0"
)


@pytest.mark.parametrize(
    ("asked", "said", "matches"),
    [
        (JAVA, PROVIDER, True),
        (JAVA.replace("group=blue", "group=red"), PROVIDER, False),
        (JAVA.replace("group=blue", "group=red,blue"), PROVIDER, True),
        (JAVA.replace("group=blue", "group=*"), PROVIDER, True),
        (JAVA.replace("&group=blue", ""), PROVIDER, False),
        (JAVA.replace("version=1.2.0", "version=1.3.0"), PROVIDER, False),
        (JAVA.replace("version=1.2.0", "version=*"), PROVIDER, True),
        (JAVA.replace("&version=1.2.0", ""), PROVIDER.replace("&version=1.2.0", "&version=0.0.0"), True),
        (JAVA.replace("demo.Catalog", "demo.Types"), PROVIDER, False),
        (JAVA, PROVIDER + "&enabled=false", False),
        (JAVA + "&enabled=*", PROVIDER + "&enabled=false", True),
        (JAVA, PROVIDER + "&category=consumers", False),
        (JAVA.replace("category=providers,", "category=consumers,"), PROVIDER, False),
        (JAVA.replace("category=providers,configurators,routers", "category=*"), PROVIDER, True),
        (JAVA.replace("category=providers,configurators,routers", "category=-providers"), PROVIDER, False),
        (JAVA.replace("category=providers,configurators,routers", "category=-routers"), PROVIDER, True),
        (JAVA.replace("&category=providers,configurators,routers", ""), PROVIDER, True),
        (JAVA + "&classifier=a", PROVIDER + "&classifier=b", False),
    ],
)
def test_questions_are_matched_as_in_dubbo(asked: str, said: str, matches: bool) -> None:
    assert Question.parse(asked).wants(Answer.parse(said)) is matches


def test_answers_go_to_the_host_alone_unless_it_says_otherwise() -> None:
    assert Question.parse(JAVA).unicast
    assert not Question.parse(JAVA + "&unicast=false").unicast


def test_our_questions() -> None:
    assert question_url(ServiceKey("demo.Catalog", "a,b", "1.2.0"), "10.0.0.7") == (
        "consumer://10.0.0.7/demo.Catalog?application=polyport&category=providers,configurators,routers&check=false&group=a,b"
        "&interface=demo.Catalog&side=consumer&unicast=false&version=1.2.0"
    )
    everything = Question.parse(question_url(EVERYTHING, "fd00::7"))
    assert everything.wants(Answer.parse(PROVIDER))
    assert everything.wants(Answer.parse("consumer://10.0.0.7/demo.Types?category=consumers&group=red"))


@pytest.mark.parametrize("url", ["", "demo.Catalog", "consumer://10.0.0.7/", "consumer://[::1/x", "x" * 20_000])
def test_what_is_no_question_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Question.parse(url)

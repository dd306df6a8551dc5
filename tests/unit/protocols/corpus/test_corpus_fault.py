from protocols.testing import ATTACHMENTS, CONTRACT, FAULTS


def test_declared_faults_have_the_fields_of_their_exception() -> None:
    for case in FAULTS:
        (method,) = CONTRACT.overloads(case.method)
        assert case.fault.declared == bool(method.throws) == (case.exception is not None)
        if case.exception is not None:
            assert case.fault.type_name == method.throws[0].name
            assert case.exception.message == case.fault.message
            assert {name: getattr(case.exception, name) for name in case.fault.fields} == case.fault.fields


def test_attachments_are_text() -> None:
    for case in ATTACHMENTS:
        assert all(type(key) is str and type(value) is str for key, value in case.attachments.items())


def test_names_are_unique() -> None:
    assert len({case.name for case in FAULTS}) == len(FAULTS)
    assert len({case.name for case in ATTACHMENTS}) == len(ATTACHMENTS)

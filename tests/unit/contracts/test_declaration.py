from gateway.contracts.declaration import MethodNote, ServiceNote, TypeNote, enum, method, note_of, service, struct


def test_a_decorator_gives_back_what_it_decorates() -> None:
    class Plain:
        def run(self) -> None: ...

    assert service("a.B")(Plain) is Plain
    assert method(oneway=True)(Plain.run) is Plain.run
    assert note_of(Plain) == ServiceNote("a.B", {}, None, ())
    assert note_of(Plain.run) == MethodNote(oneway=True)


def test_a_note_belongs_to_one_class() -> None:
    @struct(name="a.Base")
    class Base:
        pass

    class Derived(Base):
        pass

    @enum(doc="Doc.")
    class Other(Base):
        pass

    assert note_of(Base) == TypeNote("a.Base")
    assert note_of(Derived) is None
    assert note_of(Other) == TypeNote(doc="Doc.")

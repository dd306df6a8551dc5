from dataclasses import dataclass

from gateway.contracts.docstring import class_docstring, split_docstring


def test_the_args_section_is_taken_out() -> None:
    text, entries = split_docstring(
        """Finds something.

        More about it.

        Args:
            name (str): The name,
                which may be long.
            *rest: The rest: all of it.

        Returns:
            It.
        """
    )
    assert text == "Finds something.\n\nMore about it.\n\nReturns:\n    It."
    assert entries == {"name": "The name, which may be long.", "rest": "The rest: all of it."}


def test_attributes_document_fields() -> None:
    text, entries = split_docstring("Line.\n\nAttributes:\n    a: First.\n\n    b: Second.")
    assert (text, entries) == ("Line.", {"a": "First.", "b": "Second."})


def test_text_without_sections_stays() -> None:
    assert split_docstring("Just this: no section.") == ("Just this: no section.", {})
    assert split_docstring(None) == ("", {})
    assert split_docstring("Args:\n") == ("", {})


def test_what_dataclass_makes_up_is_no_documentation() -> None:
    @dataclass
    class Silent:
        a: int

    @dataclass
    class Documented:
        """Said."""

        a: int

    class Inherits(Documented):
        pass

    assert class_docstring(Silent) is None
    assert class_docstring(Documented) == "Said."
    assert class_docstring(Inherits) is None

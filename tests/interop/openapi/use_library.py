"""Uses a lending library through the client that was generated from `library.yaml`: `use_library.py BASE_URL`.

The folder with the generated package `library_client` is on the path.
"""

import datetime as dt
import sys
from typing import Any

from checks import Checks
from library_client import Client
from library_client.api.books import add_book, get_book, list_books, remove_book, replace_book
from library_client.api.loans import lend_book
from library_client.models import Book, BookCondition, LendBookBody, Loan

ISBN = "978-3 16/14ü"


def main() -> None:
    checks = Checks()
    client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
    bought = dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    book = Book(ISBN, "Grün & 茶", ["Ann", "Bo"], 320, BookCondition.WORN, bought, 0.1, "A 1")
    other = Book("2", "Another", ["Ann"], 1, BookCondition.NEW, None, None, None)

    def refused(answer: Any) -> tuple[str, int, int]:
        assert answer.parsed.detail
        return type(answer.parsed).__name__, answer.status_code.value, answer.parsed.status

    checks.same("no books", [], lambda: list_books.sync(client=client))
    checks.same("add", book, lambda: add_book.sync(client=client, body=book))
    checks.same(
        "the status of an addition", 201, lambda: add_book.sync_detailed(client=client, body=other).status_code.value
    )
    conflict = ("Problem", 409, 409)
    checks.same("add again", conflict, lambda: refused(add_book.sync_detailed(client=client, body=book)))
    checks.same("get", book, lambda: get_book.sync(ISBN, client=client))
    missing = ("Problem", 404, 404)
    checks.same("get nothing", missing, lambda: refused(get_book.sync_detailed("nothing", client=client)))
    checks.same("list", [other, book], lambda: list_books.sync(client=client))
    checks.same("a page", [other], lambda: list_books.sync(client=client, page_size=1))
    checks.same("by author", [book], lambda: list_books.sync(client=client, author="Bo"))
    checks.same("by shelves", [book], lambda: list_books.sync(client=client, shelf=["Z", "A 1"]))
    book.page_count = 321
    checks.same("replace", book, lambda: replace_book.sync(ISBN, client=client, body=book))

    def lend(isbn: str) -> Any:
        terms = LendBookBody(due_on=dt.date(2024, 2, 29), note="für Ann")
        return lend_book.sync_detailed(isbn, client=client, body=terms, x_member_number=2**62 + 1)

    loan = Loan(2**53 + 1, ISBN, 2**62 + 1, dt.date(2024, 2, 29), "für Ann")
    checks.same("lend", loan, lambda: lend(ISBN).parsed)
    checks.same("lend again", conflict, lambda: refused(lend(ISBN)))
    checks.same("lend nothing", missing, lambda: refused(lend("nothing")))
    checks.same("remove", 204, lambda: remove_book.sync_detailed(ISBN, client=client).status_code.value)
    checks.same("remove again", missing, lambda: refused(remove_book.sync_detailed(ISBN, client=client)))
    checks.summary()


if __name__ == "__main__":
    main()

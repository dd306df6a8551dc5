"""The service of `tests/interop/openapi/library.yaml`: a contract with the routes and names of that document."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from gateway.contracts import I32, I64, ServiceError, method, service

__all__ = ["Book", "Condition", "Library", "Loan", "MemoryLibrary", "NoSuchBook", "NotPossible"]


class Condition(Enum):
    NEW = "new"
    WORN = "worn"
    LOST = "lost"


@dataclass(slots=True)
class Book:
    isbn: str
    title: str
    authors: list[str]
    page_count: I32 = field(metadata={"name": "pageCount"})
    condition: Condition
    bought_at: dt.datetime | None = field(default=None, metadata={"name": "boughtAt"})
    weight_kg: float | None = field(default=None, metadata={"name": "weightKg"})
    shelf: str | None = None


@dataclass(slots=True)
class Loan:
    number: I64
    isbn: str
    member_number: I64 = field(metadata={"name": "memberNumber"})
    due_on: dt.date = field(metadata={"name": "dueOn"})
    note: str | None = None


class NoSuchBook(ServiceError):
    isbn: str


class NotPossible(ServiceError):
    pass


@service("library.Library")
class Library(Protocol):
    @method(
        routes={"http": "GET /v2/books?author={author}&shelf={shelf}&page-size={page_size}"},
        idempotent=True,
    )
    async def list_books(
        self, author: str | None = None, shelf: list[str] | None = None, page_size: I32 = 20
    ) -> list[Book]: ...

    @method(routes={"http": "POST /v2/books body={book} -> 201 NotPossible=409"}, throws=(NotPossible,))
    async def add_book(self, book: Book) -> Book: ...

    @method(routes={"http": "GET /v2/books/{isbn} -> 200 NoSuchBook=404"}, throws=(NoSuchBook,), idempotent=True)
    async def get_book(self, isbn: str) -> Book: ...

    @method(routes={"http": "PUT /v2/books/{isbn} body={book} -> 200 NoSuchBook=404"}, throws=(NoSuchBook,))
    async def replace_book(self, isbn: str, book: Book) -> Book: ...

    @method(routes={"http": "DELETE /v2/books/{isbn} -> 204 NoSuchBook=404"}, throws=(NoSuchBook,))
    async def remove_book(self, isbn: str) -> None: ...

    @method(
        routes={
            "http": "POST /v2/books/{isbn}/loans header:X-Member-Number={member_number} body=* "
            "-> 201 NoSuchBook=404 NotPossible=409"
        },
        throws=(NoSuchBook, NotPossible),
    )
    async def lend_book(self, isbn: str, member_number: I64, dueOn: dt.date, note: str | None = None) -> Loan: ...


class MemoryLibrary(Library):
    def __init__(self) -> None:
        self._books: dict[str, Book] = {}
        self._loans: dict[str, Loan] = {}

    async def list_books(
        self, author: str | None = None, shelf: list[str] | None = None, page_size: I32 = 20
    ) -> list[Book]:
        found = [
            each
            for each in self._books.values()
            if (author is None or author in each.authors) and (shelf is None or each.shelf in shelf)
        ]
        return sorted(found, key=lambda each: each.title)[:page_size]

    async def add_book(self, book: Book) -> Book:
        if book.isbn in self._books:
            raise NotPossible(f"{book.isbn} is there already")
        self._books[book.isbn] = book
        return book

    async def get_book(self, isbn: str) -> Book:
        if isbn not in self._books:
            raise NoSuchBook(f"no book {isbn}", isbn=isbn)
        return self._books[isbn]

    async def replace_book(self, isbn: str, book: Book) -> Book:
        await self.get_book(isbn)
        self._books[isbn] = replace(book, isbn=isbn)
        return self._books[isbn]

    async def remove_book(self, isbn: str) -> None:
        await self.get_book(isbn)
        del self._books[isbn]

    async def lend_book(self, isbn: str, member_number: I64, dueOn: dt.date, note: str | None = None) -> Loan:
        await self.get_book(isbn)
        if isbn in self._loans:
            raise NotPossible(f"{isbn} is lent already")
        self._loans[isbn] = Loan(2**53 + 1 + len(self._loans), isbn, member_number, dueOn, note)
        return self._loans[isbn]

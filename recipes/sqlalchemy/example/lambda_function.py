"""Keep authors and their books: each delivery whole or not at all, then the shelf as it is.

The database is SQLite in `/tmp`, which lasts as long as the environment does. Another one is another `DATABASE_URL`,
and its driver in a layer.
"""

import os
import tempfile
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

ENGINE = create_engine(os.environ.get("DATABASE_URL", f"sqlite:///{tempfile.gettempdir()}/books.db"))


class Base(DeclarativeBase):
    """What all tables are declared by."""


class Author(Base):
    """Who writes books."""

    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.year")


class Book(Base):
    """A book; nothing was printed before 1450."""

    __tablename__ = "book"
    __table_args__ = (CheckConstraint("year >= 1450", name="printed"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    year: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


Base.metadata.create_all(ENGINE)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the shelf, the deliveries that were refused, and the oldest book."""
    refused = [delivery["author"] for delivery in event["deliveries"] if not take_in(delivery)]
    with Session(ENGINE) as session:
        authors = session.scalars(select(Author).options(selectinload(Author.books)).order_by(Author.name))
        oldest = session.scalars(select(Book).where(Book.year == select(func.min(Book.year)).scalar_subquery())).one()
        return {
            "refused": refused,
            "shelf": {author.name: [f"{book.title} ({book.year})" for book in author.books] for author in authors},
            "oldest": f"{oldest.author.name}: {oldest.title}",
        }


def take_in(delivery: dict[str, Any]) -> bool:
    """Store an author's new books; tell whether the database took them, all or none."""
    try:
        with Session(ENGINE) as session, session.begin():
            author = session.scalar(select(Author).where(Author.name == delivery["author"]))
            author = author or Author(name=delivery["author"])
            author.books.extend(Book(**book) for book in delivery["books"])
            session.add(author)
    except IntegrityError:
        return False
    return True

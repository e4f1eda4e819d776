"""What a case is, and how its answer is told: figures through the analysts' locked path, pictures, and pages to print."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from groningen_data.serving.query import query, render

if TYPE_CHECKING:
    from groningen_data.serving.charts import Kind
    from groningen_data.settings import Settings

# Name of a file → its content.
Pages = Callable[["Settings"], Mapping[str, str | bytes]]


@dataclass(frozen=True)
class Question:
    """One question of a case and the SQL that answers it from the served tables; `docs/cases` quotes both."""

    title: str
    sql: str


@dataclass(frozen=True)
class Drawing:
    """One picture of a case.

    Args:
        name: Name of the files, without ending.
        title: Title, in Dutch: a council member reads it.
        sql: What it shows, from the served tables.
        kind: As for `groningen chart`.
    """

    name: str
    title: str
    sql: str
    kind: "Kind" = "auto"


@dataclass(frozen=True)
class Case:
    """One case of the departments.

    Args:
        name: As `groningen case NAME` and `docs/cases/NAME.md` know it.
        title: In one line.
        needs: Served tables of which at least one must have rows: otherwise there is nothing to tell.
        questions: At least three.
        drawings: At least one chart and, where places are told apart, one map.
        not_for: What the answer must not be used for.
        pages: More files, such as pages to print, from the served tables.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    questions: tuple[Question, ...]
    drawings: tuple[Drawing, ...]
    not_for: str
    pages: Pages = field(default=lambda settings: {})


def tell(case: Case, settings: "Settings", folder: Path, stream: IO[str]) -> list[Path]:
    """Write a case's answers to a stream, and its pictures and pages to a folder.

    Args:
        case: The case.
        settings: Where the serving database is.
        folder: Made if it is not there; files of the same names are replaced.
        stream: For people to read.

    Returns:
        The files written. None where none of the tables it needs has rows; the stream says so.

    Raises:
        QueryError: Nothing was published yet, or a question takes too long.
    """
    from groningen_data.serving.charts import draw

    stream.write(f"{case.title}\n{'=' * len(case.title)}\n")
    empty = [table for table in case.needs if not next(iter(query(settings, f"SELECT count(*) FROM {table}").rows))[0]]
    if len(empty) == len(case.needs):
        stream.write(f"\nNothing to tell: no rows here of {', '.join(empty)}.\n")
        return []
    if empty:
        stream.write(f"\nNo rows here of {', '.join(empty)}: what rests on them is missing below.\n")
    for question in case.questions:
        stream.write(f"\n{question.title}\n{'-' * len(question.title)}\n")
        render(query(settings, question.sql), "table", stream)
    stream.write(f"\nNot to be used for: {case.not_for}\n")
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for drawing in case.drawings:
        if not list(query(settings, f"SELECT 1 FROM ({drawing.sql.rstrip().rstrip(';')}) LIMIT 1").rows):
            stream.write(f"\n{drawing.title}: no rows to draw.\n")
            continue
        written += draw(settings, drawing.sql, kind=drawing.kind, title=drawing.title).write(folder / drawing.name)
    for name, content in case.pages(settings).items():
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        written.append(path)
    return written

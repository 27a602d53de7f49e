"""What an experiment is: a run that gives plain numbers, and a table, a figure and two paragraphs made of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Experiment", "Language", "Say", "Table", "Text", "columns", "paragraph"]

Findings = TypeVar("Findings")
Language = Literal["en", "zh"]
NEVER_FIRST = "，。；：！？、）》”’,.;:!?)"  # no line begins with these
NEVER_LAST = "（《“‘(["  # and none ends with these


class Text(NamedTuple):
    """The same words in English and in Chinese."""

    en: str
    zh: str

    def within(self, language: Language) -> str:
        """Choose the language."""
        return self.zh if language == "zh" else self.en


Say = Callable[[Text], str]


class Table(NamedTuple):
    """Column heads and rows; what needs no translation (numbers, names of functions) is a plain string."""

    head: Sequence[Text | str]
    rows: Sequence[Sequence[Text | str]]


@dataclass(frozen=True)
class Experiment(Generic[Findings]):
    """A claim and how to see it.

    Examples
    --------
    >>> from tinygrad_edu import lab
    >>> xor = lab.EXPERIMENTS["xor"]
    >>> xor.title.en
    'XOR: one layer cannot, two layers can'
    """

    name: str
    title: Text
    run: Callable[[int], Findings]
    """Measure, with random numbers of this seed; everything below is made of what it returns."""
    table: Callable[[Findings], Table]
    draw: Callable[[Findings, Figure, Say], None]
    explain: Callable[[Findings], tuple[Text, Text]]
    """What is seen, and why."""

    def report(self, findings: Findings, language: Language = "en") -> str:
        """Return the title, the table and the two paragraphs as text for a terminal."""
        title = self.title.within(language)
        seen, why = (paragraph(text.within(language)) for text in self.explain(findings))
        return "\n".join([title, "=" * width(title), "", columns(self.table(findings), language), "", seen, "", why])


def columns(table: Table, language: Language = "en") -> str:
    """Lay a table out for a terminal: the first column to the left, numbers to the right.

    Examples
    --------
    >>> print(columns(Table(["depth", "loss"], [["2", "0.067"], ["30", "0.693"]])))
    depth   loss
    2      0.067
    30     0.693
    """
    lines = [
        [cell.within(language) if isinstance(cell, Text) else cell for cell in line]
        for line in (table.head, *table.rows)
    ]
    widths = [max(width(cell) for cell in column) for column in zip(*lines, strict=True)]
    text = []
    for first, *rest in lines:
        cells = [first + " " * (widths[0] - width(first))]
        cells += [" " * (wide - width(cell)) + cell for cell, wide in zip(rest, widths[1:], strict=True)]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def paragraph(text: str, line: int = 100) -> str:
    """Break a text into lines: between words, and anywhere between Chinese characters.

    Examples
    --------
    >>> print(paragraph("one two three", line=8))
    one two
    three
    """
    done, open_ = [], ""
    for piece in pieces(text):
        if width(open_ + piece.rstrip()) > line:
            done.append(open_.rstrip())
            open_ = piece.lstrip()
        else:
            open_ += piece
    return "\n".join([*done, open_])


def pieces(text: str) -> list[str]:
    """Cut a text where a line may end: after a space, and beside a Chinese character that needs no neighbour."""
    found = [""]
    for letter in text:
        before = found[-1][-1:]
        may_break = before == " " or is_wide(letter + before)
        if before and may_break and letter != " " and letter not in NEVER_FIRST and before not in NEVER_LAST:
            found.append(letter)
        else:
            found[-1] += letter
    return found


def is_wide(letters: str) -> bool:
    """Say whether one of the letters takes two columns of a terminal, as Chinese characters do."""
    return any(unicodedata.east_asian_width(letter) in "WF" for letter in letters)


def width(text: str) -> int:
    """Count the columns that a text takes in a terminal."""
    return sum(2 if is_wide(letter) else 1 for letter in text)

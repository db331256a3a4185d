"""What is an exhibit made of? Escaped HTML from one template: tables, figures, paragraphs, lists."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup


class Exhibit:
    """A piece of a page. A notebook shows it by itself.

    Attributes
    ----------
    macro, content
        What of the template made it, and of what: so that a document of another kind can say the same.
    """

    def __init__(self, html: str, macro: str = "", content: Mapping[str, Any] | None = None):
        self.html, self.macro, self.content = html, macro, content or {}

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<Exhibit of {len(self.html)} characters>"


class Column(NamedTuple):
    """A column's header, and whether it holds numbers."""

    head: str
    numeric: bool = False


class Cell(str):
    """A cell's text with a mark that the page's style knows, or with smaller lines below."""

    mark: str
    below: tuple[str, ...]

    def __new__(cls, text: str, mark: str = "", below: tuple[str, ...] = ()) -> "Cell":
        """Return the text with its company."""
        cell = super().__new__(cls, text)
        cell.mark, cell.below = mark, below
        return cell


@functools.cache
def macros() -> Any:
    """Return the template that exhibits are made by."""
    loader = jinja2.PackageLoader("csat_analysis")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True).get_template("exhibits.html.j2").module


def render(macro: str, **content: Any) -> Exhibit:
    """Return an exhibit made by a macro of the template."""
    return Exhibit(str(getattr(macros(), macro)(**content)), macro, content)


def table(
    caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], notes: Sequence[str] = (), kind: str = ""
) -> Exhibit:
    """Return a table of texts, escaped; a table without rows is nothing."""
    listed = list(rows)
    return (
        render("table", caption=caption, columns=columns, rows=listed, notes=notes, kind=kind)
        if listed
        else Exhibit("")
    )


def prose(*paragraphs: str, kind: str = "") -> Exhibit:
    """Return paragraphs."""
    return render("prose", paragraphs=paragraphs, kind=kind) if paragraphs else Exhibit("")


def listing(entries: Sequence[str]) -> Exhibit:
    """Return a list of sentences."""
    return render("listing", entries=entries) if entries else Exhibit("")


def folded(title: str, content: Exhibit) -> Exhibit:
    """Return an exhibit that is unfolded by its title."""
    return render("folded", title=title, content=Markup(content.html))  # noqa: S704 - exhibits are escaped


def pair(left: Exhibit, right: Exhibit) -> Exhibit:
    """Return two exhibits side by side where the page is wide enough."""
    return render("pair", exhibits=[Markup(left.html), Markup(right.html)])  # noqa: S704 - exhibits are escaped

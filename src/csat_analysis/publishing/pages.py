"""How does a notebook become a page? One self-contained HTML file: no request, no script, its own cut of the font."""

import base64
import functools
import io
import itertools
import json
import re
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any

import nbformat
import pylopdf_fonts_zh_cn
import uharfbuzz
from fontTools.ttLib import TTFont
from nbconvert import HTMLExporter

from csat_analysis import __version__
from csat_analysis.ground.words import languages, speak
from csat_analysis.publishing import cards

TEMPLATES = Path(__file__).parents[1] / "templates"
SHOWN = dict.fromkeys(("include_code", "include_markdown", "include_output", "include_raw"), True)  # of a notebook
HIDDEN = {"setup", "parameters", "injected-parameters"}
FONT_PLACE = "/*font*/"
FEATURES = (b"halt",)  # half-width punctuation where two marks meet
NUMBERED = {"table": ".table-exhibit caption", "figure": ".caption"}
CHINESE = "[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"


def render(notebook: nbformat.NotebookNode, language: str, page: dict[str, Any]) -> str:
    """Return an executed chapter as a page.

    Parameters
    ----------
    page
        ``project, period, chapter, about, links``: what stands around the cells; ``certificate`` below them;
        ``origin``: what the cards of tables and figures tell.
    """
    words = speak(language)
    shown = [_with_card(cell, page.get("origin"), language) for cell in notebook.cells if is_shown(cell, language)]
    chosen = nbformat.from_dict({**notebook, "cells": shown})
    resources = {
        "global_content_filter": SHOWN, "raw_mimetypes": ("", "text/html"),
        "page": {
            **page, "html_language": words("language.html"), "style": style(language),
            "contents": words("page.contents"), "footer": words("page.footer", version=__version__),
        }
    }  # fmt: skip
    return with_font(template().render(nb=chosen, resources=resources).lstrip())


def is_shown(cell: nbformat.NotebookNode, language: str) -> bool:
    """Return whether a cell belongs on the page: not set-up, not in another language."""
    if any(output.output_type == "error" for output in cell.get("outputs", ())):
        return True
    tags = set(cell.metadata.get("tags", ()))
    return not tags & HIDDEN and not (tags & set(languages()) and language not in tags)


def _with_card(cell: nbformat.NotebookNode, origin: cards.Origin | None, language: str) -> nbformat.NotebookNode:
    """Return a cell whose last output, if it is a table or a figure, has its card below."""
    html = cell.outputs[-1].get("data", {}).get("text/html", "") if cell.get("outputs") else ""
    if origin is None or not ("<table" in html or "<svg" in html):
        return cell
    data = {**cell.outputs[-1].data, "text/html": html + cards.card_of(cell.source, origin, language)}
    return nbformat.from_dict({**cell, "outputs": [*cell.outputs[:-1], {**cell.outputs[-1], "data": data}]})


@functools.cache
def template() -> Any:
    """Return our template of a page. Nothing changes a notebook on the way to it, so that it needs no copy."""
    exporter = HTMLExporter(template_name="report", extra_template_basedirs=[str(TEMPLATES)])
    exporter.exclude_anchor_links = True
    exporter.register_filter("with_contents", with_contents)
    return exporter.template


@functools.cache
def style(language: str) -> str:
    """Return the style sheet of every page, with the place of its font."""
    numbers = "".join(_numbers(query, name, language) for name, query in NUMBERED.items())
    return FONT_PLACE + (TEMPLATES / "style.css").read_text("utf-8") + numbers


def _numbers(query: str, name: str, language: str) -> str:
    """Return the rule of the style sheet that writes "Table 1" before a caption."""
    before, after = (
        json.dumps(part, ensure_ascii=False) for part in speak(language)(f"language.{name}", n="|").split("|")
    )
    return f'{query}::before {{ content: {before} counter({name}) {after} "\\2002"; }}\n'


@functools.cache
def portal_style(language: str) -> str:
    """Return the style sheet of the pages that are made from records."""
    return style(language) + (TEMPLATES / "portal.css").read_text("utf-8")


def with_contents(body: str, title: str) -> str:
    """Return a page's body with a table of contents above its first section."""
    anchors = (f"section-{number}" for number in itertools.count(1))
    body = re.sub(r"<h2[^>]*>", lambda _: f'<h2 id="{next(anchors)}">', body)
    headings = re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', body, flags=re.DOTALL)
    if len(headings) < 2:
        return body
    entries = "".join(f'<li><a href="#{anchor}">{text}</a></li>' for anchor, text in headings)
    contents = f'<nav class="contents" aria-label="{escape(title)}"><ul>{entries}</ul></nav>\n'
    first = body.index("<h2 ")
    return body[:first] + contents + body[first:]


def _text(html: str) -> str:
    """Return the text of a page: with its style sheet, which writes "Table 1" before captions."""
    return unescape(re.sub(r"<[^>]*>", "", html))


def with_font(html: str) -> str:
    """Return a page with the packaged font cut to the page's own characters, so that it is legible on any machine.

    A page in another language than Chinese is set in the machine's own fonts; its figures are set in this one, and so
    are the Chinese characters in its text, which get a face of their own: a browser that meets them in a fallback
    may show a box.
    """
    text = _text(html)
    faces = _face("Noto Sans SC", font_subset(text))
    chinese = "".join(re.findall(CHINESE, text))
    if chinese and '<html lang="zh' not in html:
        faces += _face(
            "Noto Sans SC Chinese",
            font_subset(chinese),
            ";unicode-range:U+2E80-9FFF,U+F900-FAFF,U+FF00-FFEF,U+20000-3FFFF",
        )
    return html.replace(f"<style>{FONT_PLACE}", f"<style>{faces}", 1)


def with_shared_font(html: str, shared: str) -> str:
    """Return a page with the packaged font in two cuts: of letters that many pages share, and of its own others.

    The first is made once for all of them. A page in another language than Chinese holds its Chinese characters only.
    """
    letters = set(_text(html))
    if '<html lang="zh' not in html:
        own = "".join(sorted(letter for letter in letters if re.match(CHINESE, letter)))
        faces = _small_face("Noto Sans SC Chinese", own)
    else:
        faces = _small_face("Noto Sans SC", shared) + _small_face(
            "Noto Sans SC", "".join(sorted(letters - set(shared)))
        )
    return html.replace(f"<style>{FONT_PLACE}", f"<style>{faces}", 1)


@functools.lru_cache(maxsize=8)
def _shared_face(letters: str) -> str:
    return _face("Noto Sans SC", font_subset(letters), _range_of(letters))


@functools.lru_cache(maxsize=256)
def _small_face(family: str, letters: str) -> str:
    """Return a face of a few letters, for these only, nothing of none; as it was cut: to press it takes longer."""
    if not letters:
        return ""
    data = base64.b64encode(_cut(letters)).decode()
    return f'@font-face{{font-family:"{family}";src:url(data:font/otf;base64,{data}){_range_of(letters)}}}\n'


def _range_of(letters: str) -> str:
    return ";unicode-range:" + ",".join(f"U+{ord(letter):X}" for letter in letters)


def _face(family: str, font: bytes, more: str = "") -> str:
    data = base64.b64encode(font).decode()
    return f'@font-face{{font-family:"{family}";src:url(data:font/woff;base64,{data}) format("woff"){more}}}\n'


def font_subset(text: str) -> bytes:
    """Return the packaged font with the characters of a text only, as WOFF (WOFF2: 8 % smaller in ten times the time).

    HarfBuzz cuts it in a hundredth of a second, where fontTools takes half a second for the same size.
    """
    cut = TTFont(io.BytesIO(_cut(text)), recalcTimestamp=False)
    cut.flavor = "woff"
    buffer = io.BytesIO()
    cut.save(buffer, reorderTables=None)  # in the order in which they are; another is a second pass
    return buffer.getvalue()


def _cut(text: str) -> bytes:
    """Return the packaged font with the characters of a text only, as HarfBuzz cuts it."""
    wanted = uharfbuzz.SubsetInput()
    wanted.flags = uharfbuzz.SubsetFlags.NO_HINTING | uharfbuzz.SubsetFlags.DESUBROUTINIZE
    wanted.sets(uharfbuzz.SubsetInputSets.UNICODE).update(map(ord, set(text)))
    features = wanted.sets(uharfbuzz.SubsetInputSets.LAYOUT_FEATURE_TAG)
    features.clear()
    features.update(int.from_bytes(tag, "big") for tag in FEATURES)
    return uharfbuzz.subset(_whole_font(), wanted).blob.data


@functools.cache
def _whole_font() -> uharfbuzz.Face:
    """Return the packaged font; its file is mapped, and read only where a cut needs it."""
    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(pylopdf_fonts_zh_cn.sans_path())))


def page_name(chapter: str, language: str) -> str:
    """Return the file name of a chapter's page."""
    return f"{chapter}.{language}.html"


def chapter_links(
    chapters: Sequence[str], chapter: str, language: str, written: Sequence[str], depth: int
) -> list[dict[str, Any]]:
    """Return the links above a page: the portal, the other chapters, the same chapter in another language."""
    words = speak(language)
    links: list[dict[str, Any]] = [{"text": words("page.portal"), "href": "../" * depth + "index.html"}]
    for each in chapters:
        links.append(
            {"text": words.get(f"chapter.{each}", each), "href": page_name(each, language), "here": each == chapter}
        )
    for other in written:
        if other != language:
            links.append(
                {
                    "text": speak(other)("language.name"),
                    "href": page_name(chapter, other),
                    "lang": speak(other)("language.html"),
                }
            )
    return links

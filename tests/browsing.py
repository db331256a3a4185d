"""What a browser makes of a page: Chromium opens it, presses its keys, prints it, and says what it saw."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from csat_analysis.execution import printing

CHROMIUM = next(filter(None, map(shutil.which, printing.BROWSERS)), None)
DRIVERS = ("playwright", "axe_playwright_python")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or None in map(find_spec, DRIVERS),
    reason="there is no Chromium here (Debian: apt-get install chromium), or no playwright (extra dev)",
)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAPER, ACROSS = (
    {"width": 688, "height": 994},
    {"width": 1016, "height": 665},
)  # A4 within its margins, at 96 dots an inch
SLACK = 2  # pixels that letters may share with others

OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"
LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"
# Rows and cards after the second, are styled like those before: axe need not look at all of them.
FEW = """() => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  for (const body of document.querySelectorAll('tbody')) [...body.rows].slice(2).forEach(row => row.remove());
  [...document.querySelectorAll('.card')].slice(2, -1).forEach(card => card.remove());
}"""
AXE = """async only => {
  const found = await axe.run(document, {runOnly: only, resultTypes: ['violations']});
  return found.violations.map(each => `${each.id}: ${each.nodes[0].html.slice(0, 200)}: ${each.nodes[0].failureSummary}`);
}"""
WATCH_FOCUS = """() => {
  window.stops = [];
  document.addEventListener('focusin', ({target}) => {
    const {outlineStyle, outlineWidth} = getComputedStyle(target);
    window.stops.push([target, outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2]);
  });
}"""
STOPS = "() => document.querySelectorAll('a[href], summary, [tabindex], input, select, button').length"
MISSED = """() => {
  const shown = each => each.matches('summary') || each.checkVisibility() && !each.closest('details:not([open])');
  const stops = 'a[href], summary, [tabindex="0"], input, select, button';
  const wanted = [...document.querySelectorAll(stops)].filter(shown);
  const reached = new Set(window.stops.map(([element]) => element));
  const named = each => each.outerHTML.slice(0, 120);
  return [
    ...wanted.filter(each => !reached.has(each)).map(each => `not reached: ${named(each)}`),
    ...new Set(window.stops.filter(([, seen]) => !seen).map(([each]) => `focus not seen: ${named(each)}`)),
    ...(document.activeElement === window.stops[0][0] || window.stops.length > reached.size ? [] : ['trapped']),
  ];
}"""
# A box that may not be broken, and is no higher than a page, is on one page; what is as wide as the paper is all on it.
CUT = """height => {
  const kept = [...document.querySelectorAll('figure .scroll, tr, .headline')].filter(each => !each.closest('.clauses'));
  const named = each => `${each.tagName} ${each.textContent.trim().slice(0, 60)}`;
  return [
    ...kept.filter(each => getComputedStyle(each).breakInside !== 'avoid').map(each => `may be broken: ${named(each)}`),
    ...kept.filter(each => each.getBoundingClientRect().height > height).map(each => `too high: ${named(each)}`),
    ...[...document.querySelectorAll('figure svg, table, p')].filter(
      each => each.getBoundingClientRect().right > window.innerWidth + 1).map(each => `too wide: ${named(each)}`),
  ];
}"""
# What stands between links belongs to the one before it: it is on the line on which that ends.
PARTED = """() => [...document.querySelectorAll('.pages a')].filter(each => each.checkVisibility()).filter(link => {
  const end = node => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].at(-1);
  };
  return link.nextSibling?.nodeType === 3 && end(link.nextSibling).top > end(link).bottom - 4;
}).map(each => each.textContent)"""
# In pixels of the figure as it is drawn: letters on letters, and letters outside.
COLLIDING = """slack => [...document.querySelectorAll('figure svg')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map(each => [each.textContent, each.getBoundingClientRect()]);
  const name = svg.querySelector('title').textContent.slice(0, 30);
  const out = texts.filter(([, box]) => box.left < frame.left - slack || box.right > frame.right + slack
    || box.top < frame.top - slack || box.bottom > frame.bottom + slack).map(([text]) => `${name}: outside: ${text}`);
  const over = texts.flatMap(([text, a], place) => texts.slice(place + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > slack
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > slack + a.height / 4)
    .map(([other]) => `${name}: ${text} × ${other}`));
  return [...out, ...over];
})"""
# The Chinese characters of a page once for each way in which it sets them: one place is asked, not hundreds.
HAN = """async () => {
  const han = /[\\u2e80-\\u9fff\\uf900-\\ufaff]/gu, ways = new Map();
  [...document.body.querySelectorAll('*')].forEach(each => {
    const own = [...each.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join('');
    const letters = own.match(han) || [];
    if (letters.length && each.checkVisibility() && !each.closest('details:not([open]) > :not(summary)')
        && !['TITLE', 'DESC', 'STYLE'].includes(each.tagName.toUpperCase())) {
      const {fontFamily, fontWeight, fontStyle} = getComputedStyle(each);
      const way = JSON.stringify({fontFamily, fontWeight, fontStyle});
      ways.set(way, new Set([...(ways.get(way) || []), ...letters]));
    }
  });
  const texts = [...ways].map(([way, letters]) => {
    const shown = document.createElement('p');
    Object.assign(shown.style, JSON.parse(way));
    shown.dataset.han = letters.size;
    shown.textContent = [...letters].join('');
    document.body.append(shown);
    return shown.textContent;
  });
  document.body.getBoundingClientRect();  // asks for the fonts, which no letter is drawn by before they are there
  await document.fonts.ready;
  return texts;
}"""


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """Give a browser on a machine that has DejaVu, and no other font: matplotlib brings it."""
    from playwright.sync_api import sync_playwright  # here: who skips these tests need not have it

    fonts = Path(matplotlib.get_data_path()) / "fonts/ttf"
    settings = folder / "fonts.conf"
    settings.write_text(f"<fontconfig><dir>{fonts}</dir><cachedir>{folder}</cachedir></fontconfig>", "utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu"],
            env={**os.environ, "FONTCONFIG_FILE": str(settings)},
        )
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Any, path: Path, **context: Any) -> Iterator[Any]:
    """Give a page, which has an account of everything that it did: ``page.did``."""
    with watched(browser, **context) as page:
        go(page, path)
        yield page


def go(page: Any, path: Path, fragment: str = "") -> Any:
    """Open a file in a page, whose account begins with it."""
    page.goto("about:blank")  # another fragment alone would not open it again
    page.did.clear()
    page.goto(path.as_uri() + fragment)
    page.did.remove(f"request: {path.as_uri()}")
    return page


@contextlib.contextmanager
def watched(browser: Any, **context: Any) -> Iterator[Any]:
    """Give an empty page that keeps an account."""
    within = browser.new_context(**{"viewport": WIDE, **context})
    page = within.new_page()
    page.did = []
    page.on("console", lambda message: page.did.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: page.did.append(f"error: {error}"))
    page.on("request", lambda request: page.did.append(f"request: {request.url}"))
    page.on("requestfailed", lambda request: page.did.append(f"failed: {request.url}"))
    page.on("dialog", lambda dialog: (page.did.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield page
    within.close()


@cache
def axe() -> str:
    """Return axe-core, which tests a page by WCAG."""
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def barriers(page: Any) -> list[str]:
    """Return what axe finds on a page, in light and in dark colours; of many rows alike it is shown a few."""
    page.evaluate(FEW)
    page.evaluate(axe())
    found = page.evaluate(AXE, WCAG)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(AXE, ["color-contrast"])  # the only rule that colours decide
    page.emulate_media(color_scheme="light")
    return [*found, *(f"dark: {each}" for each in dark)]


def missed_by_keyboard(page: Any) -> list[str]:
    """Return what Tab does not reach, where its focus is not seen, and whether it is caught."""
    page.evaluate(WATCH_FOCUS)
    for _ in range(page.evaluate(STOPS) + 3):
        page.keyboard.press("Tab")
    return page.evaluate(MISSED)


def sideways(page: Any) -> list[str]:
    """Return on which screens a page is wider than the screen."""
    found = []
    for screen in (NARROW, WIDE):
        page.set_viewport_size(screen)
        if (more := page.evaluate(OVERFLOW)) > 0:
            found.append(f"{more} pixels wider than {screen['width']}")
    return found


def parted(page: Any) -> list[str]:
    """Return after which links of a list a line ends before the separator, on screens of any width."""
    found = []
    for width in (320, NARROW["width"], 768, 1000, WIDE["width"]):
        page.set_viewport_size({**WIDE, "width": width})
        found += [f"{name} at {width}" for name in page.evaluate(PARTED)]
    return found


def cut_by_paper(page: Any, paper: dict[str, int] = PAPER) -> list[str]:
    """Return which figures and rows a printer would cut; the page itself is printed too."""
    page.emulate_media(media="print")
    page.set_viewport_size(paper)
    found = page.evaluate(CUT, paper["height"])
    page.emulate_media(media="screen")
    page.set_viewport_size(WIDE)
    return found


def foreign_letters(page: Any) -> list[str]:
    """Return the Chinese characters of a page of which one is not drawn by a font that the page brings.

    They are put together below the page, which has them no more when this is over.
    """
    texts = page.evaluate(HAN)
    tools = page.context.new_cdp_session(page)
    tools.send("DOM.enable")
    tools.send("CSS.enable")
    root = tools.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    nodes = tools.send("DOM.querySelectorAll", {"nodeId": root, "selector": "[data-han]"})["nodeIds"]
    found = []
    for node, text in zip(nodes, texts, strict=True):
        used = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        if sum(font["glyphCount"] for font in used if font["isCustomFont"]) < len(text):
            found.append(f"{text[:60]}: {[font['familyName'] for font in used]}")
    page.evaluate("() => document.querySelectorAll('[data-han]').forEach(each => each.remove())")
    tools.detach()
    return found

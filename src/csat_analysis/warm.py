"""Imported by the server that processes are forked from: it has everything then that a chapter imports."""

# ruff: noqa: E402
import gc

gc.disable()  # while everything is imported, nothing of which goes away: a sixth of the time

from matplotlib.backends import backend_registry

from csat_analysis.assembly.assessment import assess
from csat_analysis.assembly.load import worked_example
from csat_analysis.execution import engines, forks
from csat_analysis.ground.params import programme_paths, read_programme, shipped
from csat_analysis.ground.words import languages, speak
from csat_analysis.publishing import canvas, markup, pages

forks.warm()
backend_registry.list_all()  # it asks every package that is installed
engines.versions()
canvas.style(), markup.macros(), pages.template(), pages.font_subset(""), [speak(language) for language in languages()]
assess(worked_example(read_programme(programme_paths(shipped())[0]).content))  # pandera imports at the first table
gc.collect()
gc.enable()
gc.freeze()  # what is here stays: forks need not look through it, which would also copy its pages

"""Imported by the server that processes are forked from: it has everything then that a chapter imports."""

from csat_analysis.publishing import engines, forks

forks.warm()
engines.versions()

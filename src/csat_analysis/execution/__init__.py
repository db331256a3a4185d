"""Chapters executed: which runs are stale, in which processes, within which limits, and what they leave behind."""

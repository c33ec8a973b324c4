"""Audits rendered: for people, for scripts, for a CI job's summary, as a page."""

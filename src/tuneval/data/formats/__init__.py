"""Formats: what a record's keys mean. One file a format, one row of the catalog.

A row is a `Format`; plugins add rows through the entry-point group `tuneval.format`.
"""

from __future__ import annotations

from tuneval.catalog import Catalog

FORMATS = Catalog(
    "format",
    {
        "messages": "tuneval.data.formats.messages:MESSAGES",
        "alpaca": "tuneval.data.formats.alpaca:ALPACA",
    },
)

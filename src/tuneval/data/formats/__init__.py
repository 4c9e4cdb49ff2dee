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
        "sharegpt": "tuneval.data.formats.sharegpt:SHAREGPT",
        "prompt_completion": "tuneval.data.formats.prompt_completion:PROMPT_COMPLETION",
        "text": "tuneval.data.formats.text:TEXT",
        "preference": "tuneval.data.formats.preference:PREFERENCE",
        "kto": "tuneval.data.formats.kto:KTO",
    },
)

"""Rules: what `tuneval data check` looks for. One file a rule, one row of the catalog.

What keeps a record from being read at all (encoding.*, json.*, shape.*) is found while reading
and always reported. A row is a subclass of `Rule`; plugins use the entry-point group
`tuneval.rule`.
"""

from __future__ import annotations

from tuneval.catalog import Catalog

RULES = Catalog(
    "rule",
    {
        "roles": "tuneval.data.rules.roles:Roles",
        "order": "tuneval.data.rules.order:Order",
        "empty": "tuneval.data.rules.empty:Empty",
        "encoding": "tuneval.data.rules.encoding:Encoding",
        "unused_keys": "tuneval.data.rules.unused_keys:UnusedKeys",
        "duplicates": "tuneval.data.rules.duplicates:Duplicates",
        "near_duplicates": "tuneval.data.rules.near_duplicates:NearDuplicates",
    },
)

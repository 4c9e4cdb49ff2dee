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
        "tool_calls": "tuneval.data.rules.tool_calls:ToolCalls",
        "encoding": "tuneval.data.rules.encoding:Encoding",
        "control_characters": "tuneval.data.rules.control_characters:ControlCharacters",
        "template_tokens": "tuneval.data.rules.template_tokens:TemplateTokens",
        "echo": "tuneval.data.rules.echo:Echo",
        "truncated": "tuneval.data.rules.truncated:Truncated",
        "near_empty": "tuneval.data.rules.near_empty:NearEmpty",
        "refusal": "tuneval.data.rules.refusal:Refusal",
        "language": "tuneval.data.rules.language:Language",
        "personal_data": "tuneval.data.rules.personal_data:PersonalData",
        "leakage": "tuneval.data.rules.leakage:Leakage",
        "preference_pair": "tuneval.data.rules.preference_pair:PreferencePair",
        "trl_keys": "tuneval.data.rules.trl_keys:TrlKeys",
        "tool_roles": "tuneval.data.rules.tool_roles:ToolRoles",
        "extra_keys": "tuneval.data.rules.extra_keys:ExtraKeys",
        "weights": "tuneval.data.rules.weights:Weights",
        "few_rows": "tuneval.data.rules.few_rows:FewRows",
        "unused_keys": "tuneval.data.rules.unused_keys:UnusedKeys",
        "duplicates": "tuneval.data.rules.duplicates:Duplicates",
        "near_duplicates": "tuneval.data.rules.near_duplicates:NearDuplicates",
    },
)

# What only some takers ask for: these rules run where a profile names them, not every day.
DEMANDS = frozenset({"trl_keys", "tool_roles", "extra_keys", "weights", "few_rows"})

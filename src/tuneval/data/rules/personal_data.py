"""Addresses and numbers of people; a model repeats them to anybody."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data import personal_data
from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.personal_data import PersonalDatum
from tuneval.data.rule import Rule


class PersonalData(Rule):
    """personal_data.email, personal_data.phone, personal_data.resident_id, personal_data.ssn,
    personal_data.card, personal_data.bank_account, personal_data.passport (warnings),
    personal_data.ip (info)
    """

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One finding of each kind for each turn; it never shows a whole number or address."""
        for turn in draft.turns:
            if not turn.content:
                continue
            found: dict[str, list[PersonalDatum]] = {}
            for piece in personal_data.find(turn.content):
                found.setdefault(piece.kind, []).append(piece)
            for kind, pieces in found.items():
                more = f" and {len(pieces) - 1} more" if len(pieces) > 1 else ""
                what = personal_data.KINDS[kind].what
                yield draft.finding(
                    f"personal_data.{kind}",
                    f"{turn.path} holds {what}: {pieces[0].masked}{more}.",
                    mend="put an invented one in its place, or remove the record",
                    path=turn.path,
                    severity="info" if kind == "ip" else "warning",
                )

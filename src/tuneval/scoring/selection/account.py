"""What `selection.json` holds: how a selection was made, and every count of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tuneval import __version__, files
from tuneval.scoring.reasons import REASONS
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scores import Scores
from tuneval.scoring.selection.config import SelectConfig
from tuneval.scoring.selection.distribution import distribution
from tuneval.scoring.selection.offered import Offered
from tuneval.scoring.selection.outcome import (
    DUPLICATE,
    NOT_SCORED,
    Selection,
    Stage,
    meaning_of_reason,
)
from tuneval.scoring.selection.writing import REJECTED, Form, Written

VERSION = 1
_OF_THE_SCORES = (
    "data_hash", "model", "adapter", "model_hash", "prompts", "prompts_hash", "config",
)  # fmt: skip


def account_of(
    config: SelectConfig,
    scores: Scores,
    offered: Offered,
    selection: Selection,
    written: Written,
    *,
    folder: Path,
    form: Form,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """The account of the sets that were written into `folder`; `about` is added to it."""
    rows = {row.id: row for row in scores.rows if row.id in offered.groups}
    about_scores = {name: scores.card.get(name) for name in _OF_THE_SCORES}
    reasons = dict(sorted(written.reasons.items(), key=lambda row: (-row[1], row[0])))
    return {
        "version": VERSION,
        "tuneval_version": __version__,
        "data": str(offered.location),
        "format": offered.format,
        "data_hash": offered.data_hash,
        "scores": {"folder": str(scores.folder)} | about_scores,
        **about,
        "config": config.settings(),
        "counts": {
            "records": offered.n_records,
            "examples": len(rows),
            "gone": len({row.id for row in scores.rows} - set(rows)),
            **{name: written.n[name] for name in ("chosen", "rejected", "random")},
        },
        "size": asdict(selection.size) if selection.size else None,
        "funnel": [stage.as_dict() for stage in _funnel(selection, written, offered.n_records)],
        "reasons": reasons,
        "meanings": {reason: meaning_of_reason(reason, _reasons(scores)) for reason in reasons},
        "strata": {name: asdict(stratum) for name, stratum in selection.strata.items()},
        "measures": _measures(scores, rows, selection, offered.groups),
        "files": _files(folder, form, written),
    }


def warnings_of(account: Mapping[str, Any]) -> list[str]:
    """What a person should know before using the sets."""
    counts, size, found = account["counts"], account["size"], []
    if not_scored := account["reasons"].get(NOT_SCORED):
        found.append(
            f"{not_scored:,} of {counts['records']:,} records have no scores and are left out: the "
            "set has changed since, or was scored in part"
        )
    if counts["gone"]:
        found.append(f"{counts['gone']:,} scored examples are no longer in the set")
    if size is not None and size["unit"] == "examples" and size["chosen"] < size["asked"]:
        found.append(f"asked for were {size['asked']:,}; only {size['chosen']:,} could be had")
    return found


def _reasons(scores: Scores) -> dict[str, Sequence[str]]:
    """What the codes of the measures mean, those that a measure brings itself included."""
    known: dict[str, Sequence[str]] = dict(REASONS)
    for said in scores.card.get("measures", {}).values():
        known |= said.get("own_reasons") or {}
    return known


def _funnel(selection: Selection, written: Written, n_records: int) -> list[Stage]:
    """The stages from the records of the set on."""
    stages = [Stage("records of the set", n_records)]
    before = {name: written.reasons[name] for name in (NOT_SCORED, DUPLICATE)}
    out = {name: count for name, count in before.items() if count}
    first, *later = selection.funnel
    return [*stages, Stage(first.name, first.left, out), *later]


def _measures(
    scores: Scores,
    rows: Mapping[str, ScoreRow],
    selection: Selection,
    groups: Mapping[str, str | None],
) -> dict[str, Any]:
    """For each measure its reading, and its spread over all, the chosen and the baseline."""
    sets: dict[str, Sequence[ScoreRow]] = {
        "all": list(rows.values()),
        "chosen": [rows[id] for id in selection.chosen],
        "random": [rows[id] for id in selection.random],
    }
    content: dict[str, Any] = {}
    for name, said in scores.card.get("measures", {}).items():
        content[name] = {"reading": said.get("reading")}
        for of, members in sets.items():
            found = distribution(members, name, groups)
            content[name][of] = found.as_dict() if found else None
    return content


def _files(folder: Path, form: Form, written: Written) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for stem, data_hash in written.hashes.items():
        name = form.name(stem)
        content[name] = {
            "records": written.n[stem],
            "data_hash": data_hash,
            "sha256": files.sha256_file(folder / name),
        }
    content[REJECTED] = {
        "records": written.n["rejected"],
        "sha256": files.sha256_file(folder / REJECTED),
    }
    return content

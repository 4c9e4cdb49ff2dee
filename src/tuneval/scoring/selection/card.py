"""`card.md`: what a chosen set is, where it comes from, and how it was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tuneval.pages.markdown import code, table
from tuneval.scoring.selection.writing import REJECTED
from tuneval.statistics.estimate import Estimate

Content = Mapping[str, Any]
MOST_ROWS = 40
_SETS = {"all": "all", "chosen": "chosen", "random": "random"}

IFD_READINGS = """\
What to keep by IFD is disputed. The papers (Cherry, Superfiltering) leave out what is above 1 and
keep the highest of the rest: hard, but still helped by the instruction. Some practice keeps the
lowest. These are opposite choices, and which of them helps is a matter of data and model: train on
the random baseline, too, and compare. A ratio of perplexities and a ratio of losses part at the
same 1 and order the rest differently, so a share of the best is not the same by both."""


def card_of(account: Content) -> str:
    """The card of a selection, from its account."""
    return "\n".join(_lines(account)).rstrip() + "\n"


def _lines(account: Content) -> Iterator[str]:
    counts = account["counts"]
    share = counts["chosen"] / counts["examples"]
    yield f"# {counts['chosen']:,} examples chosen from {code(account['data'])}"
    yield ""
    yield (
        f"{share:.1%} of the {counts['examples']:,} distinct examples that were scored, "
        f"chosen with tuneval {account['tuneval_version']}."
    )
    if account["size"] is not None and account["size"]["chosen"] < account["size"]["asked"]:
        size = account["size"]
        yield ""
        yield f"Asked for were {size['asked']:,} {size['unit']}; {size['chosen']:,} could be had."
    yield from _source(account)
    yield from _funnel(account)
    yield from _strata(account)
    yield from _measures(account)
    yield from _files(account)


def _source(account: Content) -> Iterator[str]:
    scores = account["scores"]
    settings = scores.get("config") or {}
    facts = {
        "Set": f"{code(account['data'])}, {account['counts']['records']:,} records",
        "Format": account["format"] if account["format"] != "auto" else None,
        "Hash of its content": code(account["data_hash"]),
        "Scores": code(scores["folder"]),
        "Model that scored": _named(scores["model"], scores["model_hash"]),
        "Adapter": code(scores["adapter"]) if scores["adapter"] else None,
        "Prompts": _named(scores["prompts"], scores["prompts_hash"]),
        "Ratios": f"of {settings['ratio']}" if settings.get("ratio") else None,
        "Unconditional term after": settings.get("unconditional"),
        "Embeddings": _named(**account["embeddings"]) if account["embeddings"] else None,
        "Seed": str(account["config"]["seed"]),
    }
    if scores["data_hash"] not in (None, account["data_hash"]):
        facts["Scored when its hash was"] = code(scores["data_hash"])
    yield "\n## Where it comes from\n"
    yield from table(["", ""], [[name, text] for name, text in facts.items() if text])
    if account["command"]:
        yield f"\n```bash\n{account['command']}\n```"


def _funnel(account: Content) -> Iterator[str]:
    yield "\n## From the set to the choice\n"
    rows = [
        [stage["name"], f"{stage['left']:,}", reasons_text(stage["rejected"])]
        for stage in account["funnel"]
    ]
    yield from table(["stage", "left", "left out, and why"], rows)
    yield ""
    for reason, meaning in account["meanings"].items():
        yield f"- {code(reason)}: {meaning}"


def _strata(account: Content) -> Iterator[str]:
    strata = account["strata"]
    if not strata:
        return
    yield f"\n## By {account['config']['quota']}\n"
    totals = {
        name: sum(row[name] for row in strata.values()) or 1 for name in ("offered", "chosen")
    }
    rows = [
        [
            name,
            f"{row['offered']:,} ({row['offered'] / totals['offered']:.1%})",
            f"{row['eligible']:,}",
            f"{row['chosen']:,} ({row['chosen'] / totals['chosen']:.1%})",
            f"{row['random']:,}",
        ]
        for name, row in list(strata.items())[:MOST_ROWS]
    ]
    yield from table(["", "in the set", "after the filters", "chosen", "random baseline"], rows)
    if len(strata) > MOST_ROWS:
        yield f"\n… and {len(strata) - MOST_ROWS} more; `selection.json` has them all."


def _measures(account: Content) -> Iterator[str]:
    yield "\n## The measures before and after\n"
    rows = []
    for name, spreads in account["measures"].items():
        for of, shown in _SETS.items():
            if spreads[of] is not None:
                rows.append([name, shown, *_spread(spreads[of])])
    heads = ["measure", "of", "mean [95% interval]", "n", "5%", "25%", "median", "75%", "95%"]
    yield from table([*heads, "no value"], rows)
    yield (
        "\nThe intervals are Student's, clustered where examples share a group: how well the mean "
        "of records such as these is known. The choice is made by these numbers, so that they "
        "differ shows what was chosen, and not that it is better."
    )
    for name, spreads in account["measures"].items():
        if reading := spreads.get("reading"):
            yield f"\n**{name}** — {reading['title']}. {reading['text']}"
    if "ifd" in account["measures"]:
        yield f"\n{IFD_READINGS}"


def _spread(content: Content) -> list[str]:
    mean = Estimate.from_dict(content["mean"])
    text = f"{mean.value:.4g}"
    if mean.low is not None and mean.high is not None:
        text += f" [{mean.low:.4g}, {mean.high:.4g}]"
    quantiles = [f"{value:.4g}" for value in content["quantiles"].values()]
    return [text, str(mean.n), *quantiles, str(content["unscored"])]


def _files(account: Content) -> Iterator[str]:
    yield "\n## The files\n"
    rows = [
        [code(name), f"{file['records']:,}", code(file["sha256"])]
        for name, file in account["files"].items()
    ]
    yield from table(["file", "records", "SHA-256"], rows)
    chosen = next(iter(account["files"]))
    yield (
        f"\nRecords stand as the set has them, in its order. {code(REJECTED)} holds every other "
        "record with its reason; `original` is its text. The random baseline is drawn from the "
        "whole set, as large as the choice and with the same quotas."
    )
    yield f"\n```bash\ntuneval train {chosen} --model MODEL\n```"
    if chosen.endswith(".jsonl"):
        yield "\n```python\nfrom datasets import load_dataset\n"
        yield f'chosen = load_dataset("json", data_files="{chosen}", split="train")\n```'


def reasons_text(reasons: Mapping[str, int]) -> str:
    """`keep:ifd < 1 12, below_top 3`; a dash where nothing is left out."""
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.items()) or "–"


def _named(name: str | None, hash: str | None) -> str | None:
    return None if name is None else f"{code(name)}" + (f", hash {code(hash)}" if hash else "")

"""A million chat records: checking them against reading them with orjson and nothing more.

    python benchmarks/data.py [--records 1000000] [--rounds 3] [--workers N]
    python benchmarks/data.py --profile everyday [--without near_duplicates] [--rounds 1]

A seeded file is made in a temporary folder, a kilobyte a record: English and Chinese, two to six
turns, some with a system turn, with quotes, line breaks and code. Faults of many kinds are put at
known lines, and the check has to find exactly these. The peer is one process that runs
`for line in file: orjson.loads(line)`. Each side runs in a fresh process, in alternation, and
times its work without its imports (but with the start of the check's own processes); the best of
the rounds counts. The memory of all processes together is sampled from outside, twenty times a
second: the sum of their resident sizes (pages they share count in each) and of their
proportional ones. The ratio of the speeds stands on the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

SEED = 17
FAULTS_OF_A_KIND = 20
MEMORY_BAR_MB = 400
WORDS = """
    the a model data question answer please explain how to write code for this function value
    list table number order camera price return when because however time people city water
    light green small large system network train learn result example simple clear should could
    would after before under over between history science music language travel recipe garden
"""
HAN = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说"
    "产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使"
    "点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明"
    "看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料"
)
CODE = '\n```json\n{"name": "camera", "price": [1, 2.5]}\n```\n'
Fault = tuple[int, str]


def main() -> int:
    """Measure both; exit status 1 when the check's answer is wrong or it takes too much memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", default="trl-chat")
    parser.add_argument("--without", nargs="*", default=[], metavar="RULE")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--run", nargs=2, metavar=("SIDE", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        side, file = options.run
        answer = read_bare(file) if side == "bare" else check_it(file, options)
        print(json.dumps(answer))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "chat.jsonl")
        started = time.perf_counter()
        faults = write_file(file, options.records)
        print(
            f"{options.records} records, {file.stat().st_size / 1e6:.0f} MB, {len(faults)} of them "
            f"faulty, made in {time.perf_counter() - started:.0f} s"
        )
        return compare(file, faults, options)


def compare(file: Path, faults: list[Fault], options: argparse.Namespace) -> int:
    """Run both sides in turn and print what they took."""
    bare, ours, is_right = [], [], True
    peak = {"resident": 0.0, "proportional": 0.0}
    for number in range(1, options.rounds + 1):
        bare.append(run("bare", file, options)[0]["seconds"])
        answer, memory = run("check", file, options)
        ours.append(answer["seconds"])
        peak = {kind: max(peak[kind], memory[kind]) for kind in peak}
        found = sorted((line, rule) for line, rule in answer["findings"])
        n_blank = sum(rule == "file.blank_line" for _, rule in faults)
        is_right &= answer["n_records"] == options.records - n_blank
        if options.profile == "trl-chat" and found != sorted(faults):
            is_right = False
            print("differences, the first:", sorted(set(found) ^ set(faults))[:20])
        print(
            f"round {number}: orjson alone {bare[-1]:6.2f} s, check {ours[-1]:6.2f} s, "
            f"ratio {bare[-1] / ours[-1]:.2f}; {len(found)} findings, {answer['n_usable']} usable; "
            f"peak memory {memory['resident']:.0f} MB, {memory['proportional']:.0f} proportional",
            flush=True,
        )
    print(
        "the findings are exactly the faults"
        if is_right and options.profile == "trl-chat"
        else ("all records were seen" if is_right else "the findings are NOT the faults")
    )
    print(
        f"memory of all processes: {peak['resident']:.0f} MB resident, "
        f"{peak['proportional']:.0f} MB proportional (bar: {MEMORY_BAR_MB} MB)"
    )
    print(f"best: orjson alone {min(bare):.2f} s, check {min(ours):.2f} s")
    print(f"ratio {min(bare) / min(ours):.2f}")
    is_small = peak["resident"] < MEMORY_BAR_MB or options.profile != "trl-chat"
    return 0 if is_right and is_small else 1


def read_bare(file: str) -> dict:
    """Parse every line, and nothing more."""
    n_good = n_bad = 0
    started = time.perf_counter()
    with open(file, "rb") as lines:
        for line in lines:
            try:
                orjson.loads(line)
                n_good += 1
            except ValueError:
                n_bad += 1
    return {"seconds": time.perf_counter() - started, "n_good": n_good, "n_bad": n_bad}


def check_it(file: str, options: argparse.Namespace) -> dict:
    """Check the file; its findings as (line, rule)."""
    from tuneval.data.profiles import PROFILES
    from tuneval.data.validate import check

    rules = PROFILES.load(options.profile).rules
    started = time.perf_counter()
    found = check(
        file,
        rules=[rule for rule in rules if rule not in options.without],
        profile=options.profile,
        workers=options.workers,
    )
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "n_records": found.n_records,
        "n_usable": found.n_usable,
        "findings": [(int(f.where.rpartition(":")[2]), f.rule) for f in found.findings],
    }


def run(side: str, file: Path, options: argparse.Namespace) -> tuple[dict, dict[str, float]]:
    """One side's answer, and the peak memory of its processes in MB."""
    command = [sys.executable, __file__, "--run", side, str(file), "--profile", options.profile]
    command += ["--without", *options.without]
    if options.workers:
        command += ["--workers", str(options.workers)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    memory = {"resident": 0.0, "proportional": 0.0}
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            now = memory_of(process.pid)
            for kind in memory:
                memory[kind] = max(memory[kind], now[kind])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        output, _ = process.communicate()
    finally:
        stop.set()
        watcher.join()
    if process.returncode:
        raise SystemExit(f"the side '{side}' ended with status {process.returncode}")
    return json.loads(output), memory


def memory_of(pid: int) -> dict[str, float]:
    """Memory of a process and all below it, in MB."""
    total = {"resident": 0.0, "proportional": 0.0}
    for one in tree(pid):
        try:
            rows = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it has ended
        for row in rows:
            for kind, name in (("resident", "Rss:"), ("proportional", "Pss:")):
                if row.startswith(name):
                    total[kind] += int(row.split()[1]) / 1000
    return total


def tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        children = [Path(f"/proc/{pid}/task/{thread}/children").read_text() for thread in threads]
    except OSError:
        return
    for child in " ".join(children).split():
        yield from tree(int(child))


def write_file(file: Path, n_records: int) -> list[Fault]:
    """Write the records; where the faulty ones stand, and the rule that has to find each."""
    chance = random.Random(SEED)
    english = [sentence(chance, WORDS.split(), " ", (6, 14), list(".?!,")) for _ in range(5000)]
    chinese = [sentence(chance, HAN, "", (8, 24), list("。，？！")) for _ in range(5000)]
    kinds = list(FAULTS) * min(FAULTS_OF_A_KIND, n_records // (4 * len(FAULTS)))
    at = dict(zip(chance.sample(range(200, n_records), len(kinds)), kinds, strict=True))
    faults: list[Fault] = []
    with open(file, "wb") as lines:
        for number in range(n_records):
            line = orjson.dumps(
                {"messages": conversation(chance, chinese if chance.random() < 0.5 else english)}
            )
            if number in at:
                line = FAULTS[at[number]](line)
                faults.append((number + 1, at[number].partition(" ")[0]))
            lines.write(line + b"\n")
    return faults


def sentence(
    chance: random.Random, words: str | list[str], space: str, n: tuple[int, int], ends: list[str]
) -> str:
    """Some words and a mark at their end."""
    text = space.join(chance.choices(words, k=chance.randint(*n)))
    return text.capitalize() + chance.choice(ends) + space


def conversation(chance: random.Random, sentences: list[str]) -> list[dict[str, str]]:
    """Two to six turns, in one of three cases after a system turn."""
    turns = []
    if chance.random() < 0.3:
        turns.append({"role": "system", "content": "".join(chance.choices(sentences, k=2))})
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
        question = "".join(chance.choices(sentences, k=chance.randint(1, 3)))
        answer = "".join(chance.choices(sentences, k=chance.randint(4, 10)))
        style = chance.random()
        if style < 0.1:
            answer += CODE
        elif style < 0.3:
            answer = answer.replace(" ", "\n\n", 1) + ' He said: "It’s done — really…"'
        turns.append({"role": "user", "content": f"{question} ({chance.randrange(10**4)})"})
        turns.append({"role": "assistant", "content": answer})
    return turns


def replaced(old: bytes, new: bytes, count: int = 1) -> object:
    """A fault that is one thing in place of another."""
    return lambda line: line.replace(old, new, count)


def last_content(new: bytes) -> object:
    """A fault that puts something at the end of the last answer."""
    return lambda line: line[: line.rindex(b'"}]}')] + new + b'"}]}'


# The rule that has to find it, what was done if there are several ways, and how it is done.
FAULTS = {
    "json.syntax": replaced(b'"messages":[', b'"messages":[,'),
    "json.syntax quote": replaced(b'"role"', b"role"),
    "json.truncated": lambda line: line[:13],
    "json.trailing_comma": lambda line: line + b",",
    "json.multiple_values": lambda line: line + line,
    "json.duplicate_key": replaced(b'"role":"user"', b'"role":"user","role":"user"'),
    "json.duplicate_key top": lambda line: line[:-1] + b"," + line[1:],
    "json.nan": lambda line: line[:-1].replace(b'"messages"', b'"n":NaN,"messages"', 1) + b"}",
    "json.too_deep": lambda line: b"[" * 20_000 + b"]" * 20_000,
    "json.not_object": lambda line: b"[" + line + b"]",
    "encoding.lone_surrogate": last_content(rb"\ud83d"),
    "encoding.not_utf8": last_content(b"\xff"),
    "encoding.bom": lambda line: b"\xef\xbb\xbf" + line,
    "encoding.replacement_character": last_content("\ufffd".encode()),
    "encoding.mojibake": last_content(" cafÃ© crÃ¨me, dÃ©jÃ\xa0 vu".encode()),
    "roles.unknown": replaced(b'"role":"assistant"', b'"role":"assisiant"'),
    "shape.no_content": replaced(b'"role":"user","content":', b'"role":"user","contents":'),
    "shape.not_text": replaced(b'"role":"user","content":"', b'"role":"user","content":5,"name":"'),
    "shape.no_turns": lambda line: b'{"messages":[]}',
    "shape.not_list": lambda line: b'{"messages":"[]"}',
    "order.no_answer": lambda line: line[: line.rindex(b',{"role":"assistant"')] + b"]}",
    "order.first_not_user": lambda line: (
        line.replace(b'"messages":[', b'"messages":[{"role":"assistant","content":"a"},', 1)
        if b'"system"' not in line
        else b'{"messages":[{"role":"assistant","content":"a"}]}'
    ),
    "order.system_not_first": replaced(
        b',{"role":"assistant"', b',{"role":"system","content":"s"},{"role":"assistant"'
    ),
    "empty.turn": lambda line: (
        b'{"messages":[{"role":"user","content":""},{"role":"assistant","content":"b"}]}'
    ),
    "empty.only_spaces": lambda line: (
        b'{"messages":[{"role":"user","content":"a"},'
        b'{"role":"assistant","content":" \\n\xe3\x80\x80"}]}'
    ),
    "trl_keys.reserved": lambda line: b'{"prompt":"a",' + line[1:],
    "file.blank_line": lambda line: b"  ",
}

if __name__ == "__main__":
    sys.exit(main())

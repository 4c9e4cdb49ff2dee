from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from tuneval.scoring.peers import Peers

IDS = [f"{n:016x}" for n in range(400)]


def chosen(ids, *, task: str | None = "t", seed: int = 17, limit: int = 3) -> dict[str, list[str]]:
    peers = Peers([(each, task) for each in ids], seed=seed)
    return {each: list(peers.of(each, task, limit=limit)) for each in ids}


def test_peers_are_different_ones_of_the_task_and_never_itself():
    members = [(each, "ab"[n % 2]) for n, each in enumerate(IDS)]
    peers, task_of = Peers(members, seed=1), dict(members)
    for each, task in members:
        found = list(peers.of(each, task, limit=5))
        assert len(set(found)) == 5
        assert each not in found
        assert {task_of[peer] for peer in found} == {task}


@pytest.mark.parametrize(("n_members", "n_peers"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (5, 3)])
def test_a_small_pool_gives_all_it_has(n_members, n_peers):
    ids = IDS[:n_members]
    for each, found in chosen(ids).items():
        assert len(found) == n_peers
        assert set(found) <= set(ids) - {each}


def test_one_that_is_no_member_may_ask_too():
    peers = Peers([(each, "t") for each in IDS[:3]], seed=17)
    assert sorted(peers.of("not-there", "t", limit=9)) == sorted(IDS[:3])
    assert list(peers.of("not-there", "unknown", limit=9)) == []


def test_those_without_a_task_are_one_another_s_peers():
    peers = Peers([(IDS[0], None), (IDS[1], None), (IDS[2], "t")], seed=17)
    assert list(peers.of(IDS[0], None, limit=3)) == [IDS[1]]
    assert list(peers.of(IDS[2], "t", limit=3)) == []


def test_a_member_named_twice_is_one_member():
    assert chosen([IDS[0], IDS[0], IDS[1]]) == {IDS[0]: [IDS[1]], IDS[1]: [IDS[0]]}


def test_fewer_peers_are_the_first_of_more():
    few, many = chosen(IDS, limit=2), chosen(IDS, limit=6)
    assert all(many[each][:2] == few[each] for each in IDS)


def test_order_of_the_set_changes_nothing_and_the_seed_does():
    assert chosen(IDS[::-1]) == chosen(IDS)
    other = chosen(IDS, seed=18)
    same = sum(other[each] == found for each, found in chosen(IDS).items())
    assert same < 0.02 * len(IDS)


def test_a_record_more_or_less_changes_the_peers_of_few_others():
    """About 3 in N draws fall on a given record; a walk or a shuffle would change all."""
    before = chosen(IDS)
    n_changed = [
        sum(found[each] != before[each] for each in IDS if each in found)
        for found in (
            chosen([*IDS, "new-record"]),
            chosen(IDS[:-1]),
            chosen(IDS[1:]),
        )
    ]
    assert max(n_changed) <= 24
    assert sum(n_changed) > 0


def test_every_record_is_drawn_about_equally_often():
    drawn = Counter(peer for found in chosen(IDS).values() for peer in found)
    assert len(drawn) > 0.6 * len(IDS)
    assert max(drawn.values()) < 30


def test_another_process_finds_the_same_peers():
    program = (
        "from tuneval.scoring.peers import Peers\n"
        "ids = [f'{n:016x}' for n in range(400)]\n"
        "peers = Peers([(each, 't') for each in ids], seed=17)\n"
        "print([list(peers.of(each, 't', limit=3)) for each in ids[:20]])\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {str([chosen(IDS)[each] for each in IDS[:20]])}

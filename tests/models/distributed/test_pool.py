"""Workers that are lost, on a Ray cluster of this machine; the work is arithmetic."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

import pytest
from ray_cluster import ray_here

from tuneval.errors import DataError, TunevalError
from tuneval.models.distributed.cluster import join
from tuneval.models.distributed.hired import Part
from tuneval.models.distributed.pool import Pool
from tuneval.runs.events import Finished, Warned

pytestmark = [
    # Ray's listeners and pipes, found by whatever test the garbage is collected in.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


class Squares:
    """Squares numbers, two at a time. Some numbers are traps."""

    def __init__(self, *, deadly=(), refused=(), broken=()):
        self.deadly, self.refused, self.broken = deadly, refused, broken

    def introduce(self):
        return "squares"

    def work(self, part, known, tell, report):
        tell([(place, part[place] ** 2) for place in known])  # as a row does that is partly known
        left = [place for place in range(len(part)) if place not in known]
        for start in range(0, len(left), 2):
            places = left[start : start + 2]
            numbers = [part[place] for place in places]
            if set(numbers) & set(self.deadly):
                os.kill(os.getpid(), signal.SIGKILL)
            if set(numbers) & set(self.refused):
                raise DataError("A number is refused.", where="in the middle")
            if set(numbers) & set(self.broken):
                raise ZeroDivisionError("not today")
            tell([(place, part[place] ** 2) for place in places])
        report(Finished("squares", {"numbers": len(left)}))


def closed_door():
    raise DataError("This door is closed.")


@pytest.fixture(scope="module")
def ray():
    with ray_here(2) as ray:
        # The workers cannot import a test.
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        yield ray
        ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture
def events():
    return []


@pytest.fixture
def pool_of(ray, events):
    """A function from how many workers and how to open them to a pool."""
    pools = []

    def make(n_workers, opening, **more):
        more = {"options": {"num_cpus": 1}, "room_seconds": 60.0, **more}
        pool = Pool(
            join("ray"), opening, n_workers=n_workers, stage="workers", report=events.append, **more
        )
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        pool.close()


def parts_of(numbers, size):
    """Parts of so many numbers; a number's item is its place in `numbers`."""
    cuts = [range(start, min(start + size, len(numbers))) for start in range(0, len(numbers), size)]
    return [Part(cut, partial(list, [numbers[item] for item in cut])) for cut in cuts]


def run(pool, parts, events, **more):
    """Item to result; fails where one comes twice."""
    found = {}

    def keep(pairs):
        for item, value in pairs:
            assert item not in found
            found[item] = value
            if "hear" in more:
                more["hear"](found)

    pool.run(
        parts,
        on_results=keep,
        describe=lambda left: f"items {[*left]}",
        on_event=events.append,
        report=events.append,
    )
    return found


def test_every_item_is_done_once_and_hands_are_heard(pool_of, events):
    pool = pool_of(2, Squares)
    found = run(pool, parts_of(range(10, 25), 4), events)
    assert found == {item: (item + 10) ** 2 for item in range(15)}
    assert pool.introduction == "squares"
    assert sum(event.values["numbers"] for event in events if isinstance(event, Finished)) == 15


def test_what_is_known_is_not_done_again(pool_of, events):
    parts = parts_of(range(8), 4)
    parts[1].known = {0, 3}
    found = run(pool_of(1, Squares), parts, events)
    assert sorted(found) == [0, 1, 2, 3, 5, 6]


def test_a_killed_worker_costs_only_what_it_had_not_told(pool_of, events):
    pool = pool_of(2, Squares)
    killed = []

    def kill_one(found):
        if not killed and len(pool.places()) == 2:
            killed.extend(place.pid for place in pool.places())
            os.kill(killed[0], signal.SIGKILL)

    # Enough parts for the second worker to be there before the first has done them all.
    found = run(pool, parts_of(range(4000), 8), events, hear=kill_one)
    assert found == {number: number**2 for number in range(4000)}
    assert killed
    assert pool.n_lost == 1
    told = [event.message for event in events if isinstance(event, Warned)]
    assert len(told) == 1
    assert f"(process {killed[0]}): its process ended" in told[0]
    assert killed[0] not in [place.pid for place in pool.places()]


def test_a_part_that_kills_every_worker_is_given_up_by_name(pool_of, events):
    pool = pool_of(2, partial(Squares, deadly=[5]))
    parts = parts_of(range(8), 4)
    parts[1].known = {3}  # told again by every worker, which is no news
    with pytest.raises(TunevalError, match="3 workers were lost at the same work") as caught:
        run(pool, parts, events)
    assert caught.value.where == "items [4, 5, 6]"
    assert len([event for event in events if isinstance(event, Warned)]) == 2
    assert pool.places() == []


def test_what_a_hand_refuses_is_raised_as_it_is(pool_of, events):
    pool = pool_of(1, partial(Squares, refused=[3]))
    with pytest.raises(DataError, match=r"A number is refused\.") as caught:
        run(pool, parts_of(range(8), 8), events)
    assert caught.value.where.startswith("in the middle, worker on ")
    assert pool.n_lost == 0


def test_another_error_of_a_hand_loses_its_worker(pool_of, events):
    pool = pool_of(1, partial(Squares, broken=[7]))
    with pytest.raises(TunevalError, match="ZeroDivisionError: not today") as caught:
        run(pool, parts_of(range(8), 8), events)
    assert caught.value.where == "items [6, 7]"


def test_a_hand_that_does_not_open_says_why(pool_of):
    with pytest.raises(DataError, match=r"This door is closed\."):
        pool_of(2, closed_door)


def test_without_room_there_is_an_error_with_what_there_is(pool_of):
    with pytest.raises(TunevalError, match="no room for a worker") as caught:
        pool_of(1, Squares, options={"num_cpus": 64}, room_seconds=1.0)
    assert caught.value.where == "1 machines with 2 CPUs and 0 GPUs; a worker needs 64 CPUs"

"""The suite of the slot `url-shortener/click-aggregator`: which log, under which faults, goes to which checker."""

from __future__ import annotations

from pathlib import Path

from grading.checks.url_shortener.click_aggregator import checkers, workloads
from grading.checks.url_shortener.click_aggregator.partitions import Partitions
from grading.judge.requirement import Scenario, load

PLAIN_CLICKS = Scenario(
    "plain clicks",
    "Clicks of the last half hour were counted, on two partitions; some were at the edge of a minute or an hour.",
    workloads.plain_clicks,
    checkers.in_its_windows,
    every=10,
)
LATE_CLICKS = Scenario(
    "late clicks",
    "Clicks were counted that were made just now, hours ago, days ago and years ago, in no order.",
    workloads.late_clicks,
    checkers.in_its_windows,
    every=7,
)
IMPOSSIBLE_TIMES = Scenario(
    "impossible times",
    "Clicks were counted whose times cannot be, and some whose times only just can.",
    workloads.impossible_times,
    checkers.in_its_windows,
    every=7,
)
TOLD_AGAIN = Scenario(
    "told again",
    "The log told some clicks twice: in one batch, in later batches, and after a restart of the consumer. Two clicks "
    "were alike in all but their ids.",
    workloads.told_again,
    checkers.each_once,
    every=7,
)
A_LONG_DAY = Scenario(
    "a long day",
    "The log told of clicks in more than a hundred batches, and told some of them again much later.",
    workloads.a_long_day,
    checkers.each_once,
    every=10,
)
POISON = Scenario(
    "poison",
    "Some events could not be read: None stood for them, among clicks.",
    workloads.poison,
    checkers.past_poison,
    every=7,
)
NOTHING_NEW = Scenario(
    "nothing new",
    "Batches were counted one after the other, some of them with nothing new in them: known clicks, events that "
    "cannot be read, or no event at all.",
    workloads.nothing_new,
    checkers.with_its_offset,
    every=7,
)
KILLED = Scenario(
    "killed",
    "The consumer was killed while it counted, each time at another request to the store. Each time it began anew at "
    "the committed offset, with a new instance.",
    workloads.killed,
    checkers.after_a_crash,
    every=7,
)
STOPPED = Scenario(
    "stopped",
    "The consumer was stopped while it counted: the call was cancelled. Later it began anew at the committed offset, "
    "with a new instance.",
    workloads.stopped,
    checkers.after_a_stop,
    every=2,
    why="Who is told to stop and goes on holds up every deployment, until it is killed; and whoever gets a number "
    "believes that the batch was counted.",
    read_next="https://docs.python.org/3/library/asyncio-task.html#task-cancellation: what must become of a "
    "CancelledError that you catch?",
)
STORE_FAILS = Scenario(
    "store fails",
    "The store failed under some of the batches: it refused, did not answer in time, lost its answer, or the lease was "
    "gone. Each time the consumer began anew at the committed offset, with a new instance.",
    workloads.store_fails,
    checkers.through_failures,
    every=7,
)
HOW_MANY_ARE_NEW = Scenario(
    "how many are new",
    "Batches were counted that held new clicks, known ones, repeated ones and events that cannot be read.",
    workloads.how_many_are_new,
    checkers.how_many_were_new,
    every=7,
)
A_HOT_LINK = Scenario(
    "a hot link",
    f"{workloads.MANY} clicks on few links were counted as one batch, and the questions to the store counted.",
    workloads.a_hot_link,
    checkers.cheap,
    every=10,
)
MANY_CLICKS = Scenario(
    "many clicks",
    f"{workloads.WARM} clicks were counted and the memory weighed; then {workloads.MORE} others were counted, and it "
    "was weighed again.",
    workloads.many_clicks,
    checkers.memory_stays,
    every=10,
)

SCENARIOS = {
    "windows": (PLAIN_CLICKS,),
    "late": (LATE_CLICKS,),
    "impossible": (IMPOSSIBLE_TIMES,),
    "once": (TOLD_AGAIN, A_LONG_DAY),
    "poison": (POISON,),
    "offset": (NOTHING_NEW,),
    "crash": (KILLED, STOPPED),
    "store-failure": (STORE_FAILS,),
    "new-clicks": (HOW_MANY_ARE_NEW,),
    "cost": (A_HOT_LINK,),
    "memory": (MANY_CLICKS,),
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, Partitions)

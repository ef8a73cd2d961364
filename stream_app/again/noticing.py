"""What has changed since readings were judged, and the task that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from schemas.topics import Topics
from stream_app.again.form import Form, blurred, changes
from stream_app.again.task import Item, Task, partners
from stream_app.again.wire import Known

_MOST_ITEMS: Final = 2000
"""What a task holds at most; more changes than that are the next one."""


class Noticed(NamedTuple):
    """Sensors as they are known now, the times that are concerned, whether there are more."""

    changed: Mapping[str, Known]
    items: Sequence[Item]
    more: bool


def noticed(
    names: Iterable[str],
    known: Mapping[str, Known],
    form_now: Callable[[str, str], Form],
    newest: Callable[[str, str], int],
) -> Noticed:
    """Compare what is known of sensors with what was.

    ``form_now`` gives what is known now, by sensor and station.
    ``newest`` gives the newest reading of a sensor by parameter and name: changes that hold only
    behind it concern nothing.
    """
    changed: dict[str, Known] = {}
    items: list[Item] = []
    for name in sorted(names):
        if len(items) >= _MOST_ITEMS:
            return Noticed(changed, items, more=True)
        was = known[name]
        form = form_now(name, was.station)
        found = changes(was.form, form)
        if not found:
            continue
        changed[name] = was._replace(form=form)
        last = newest(was.parameter, name)
        items += [
            Item(name, was.station, was.parameter, change)
            for change in found
            if change.since <= last
        ]
    return Noticed(changed, items, more=False)


def unsure(
    sensors: Iterable[str],
    known: Mapping[str, Known],
    form_now: Callable[[str, str], Form],
    looked: dict[str, int],
    turn: int,
) -> dict[str, Known]:
    """Give known sensors that were judged by what no round has looked at yet.

    What holds may be as it was again before the next round looks: that one is to see that it was
    otherwise meanwhile. ``looked`` remembers in which turn a sensor was found to be as it is known.
    """
    found: dict[str, Known] = {}
    for sensor in sensors:
        was = known.get(sensor)
        if was is None or looked.get(sensor) == turn:
            continue
        form = blurred(was.form, form_now(sensor, was.station))
        if form == was.form:
            looked[sensor] = turn
        else:
            found[sensor] = was._replace(form=form)
    return found


def task_of(
    items: Sequence[Item], known: Mapping[str, Known], topics: Topics, positions: Mapping[str, int]
) -> Task:
    """Say where to read: from the first reading of each sensor, and of those beside it."""
    beside = partners(items)
    concerned = [known[item.sensor] for item in items]
    concerned += [one for one in known.values() if (one.parameter, one.station) in beside]
    first: dict[str, int] = {}
    for one in concerned:
        topic = topics.raw(one.parameter)
        first[topic] = min(first.get(topic, one.first_offset), one.first_offset)
    return Task(tuple(items), first, {topic: positions[topic] for topic in first})

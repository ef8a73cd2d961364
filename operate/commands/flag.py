"""``aos flag``: what people say of readings, above what the tests say."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from operate.audit import operator
from operate.board import board, keys_of
from operate.given import micros_of, moment_of, text_of, wrong
from operate.options import AsJson, Config
from operate.printing import show
from operate.settings import Settings, load
from producers.reading.times import now_micros
from schemas.overrides import Kind, Override
from weather.parameters import PARAMETERS
from weather.qc.flags import Flag

_WORST: Final = (Flag.SUSPECT, Flag.FAIL)


class Flagging(TyperGroup):
    """Takes ``aos flag SENSOR …`` for ``aos flag set SENSOR …``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Read a word that is no command as a sensor."""
        given = args if args[0] in self.commands else ["set", *args]
        return super().resolve_command(ctx, given)


app = typer.Typer(cls=Flagging, add_completion=False, no_args_is_help=True)

Sensor = Annotated[
    str, typer.Argument(metavar="SENSOR", help="Such as JFK:wind, as readings name it.")
]
About = Annotated[str, typer.Argument(metavar="STATION|SENSOR", help="Such as JFK, or JFK:wind.")]
From = Annotated[str, typer.Argument(metavar="FROM", help="First observation time, with its zone.")]
To = Annotated[str, typer.Argument(metavar="TO", help="Before which it ends, with its zone.")]
As = Annotated[
    int, typer.Option("--as", min=1, max=4, help="1 good, 2 not judged, 3 suspect, 4 fail.")
]
Measure = Annotated[str | None, typer.Option("--measure", help="Of wind: only this is at fault.")]
Why = Annotated[str, typer.Option("--why", help="Why; it stays to be read.")]
By = Annotated[str | None, typer.Option("--by", help="Who; else user and host.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="As listed.")]
All = Annotated[bool, typer.Option("--all", help="Also what was lifted.")]


@app.callback()
def flag() -> None:
    """Say what readings are worth, above what the tests say; or take it back.

    aos flag SENSOR FROM TO --as 4 --why … is short for aos flag set.
    """


@app.command("set")
def set_(  # noqa: PLR0913, PLR0917 - one for each option
    sensor: Sensor,
    since: From,
    until: To,
    flag_: As,
    why: Why,
    measure: Measure = None,
    by: By = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Flag what a sensor observed from a time until before another.

    The tests' own flags stay in their fields. With --measure the reading is at least that bad.
    """
    _check_sensor(sensor)
    _check_measure(sensor, measure, flag_)
    _say(
        config,
        as_json=as_json,
        kind=Kind.FLAG,
        sensor=sensor,
        station=None,
        measure=measure,
        flag=flag_,
        why=why,
        by=by,
        times=(since, until),
    )


@app.command()
def maintenance(  # noqa: PLR0913, PLR0917 - one for each option
    about: About,
    since: From,
    until: To,
    why: Why,
    flag_: As = Flag.FAIL,
    by: By = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Flag what a station or a sensor observed while somebody worked on it."""
    of_sensor = parameter_of(about) is not None
    _say(
        config,
        as_json=as_json,
        kind=Kind.MAINTENANCE,
        sensor=about if of_sensor else None,
        station=None if of_sensor else about,
        measure=None,
        flag=flag_,
        why=why,
        by=by,
        times=(since, until),
    )


@app.command()
def lift(id_: Id, why: Why, by: By = None, config: Config = None, as_json: AsJson = False) -> None:
    """Take back what was said: the tests have the word again. It stays to be read."""
    _not_empty(why)
    settings = load(config)
    with board(settings, settings.topics.overrides) as place, place.changing() as put:
        known = {record["override_id"]: Override.of_record(record) for record in place.records()}
        found = known.get(id_)
        if found is None:
            mend = "`aos flag list --all` shows every one"
            raise wrong(id_, "there is no such flag", mend, name="ID")
        if found.lifted is not None:
            problem = f"{found.lifted.by} lifted it at {moment_of(found.lifted.at)}"
            raise wrong(id_, problem, "nothing: it does not stand any more", name="ID")
        lifted = found.lift(by or operator(), why, now_micros())
        put(id_, lifted.to_record())
    show([_row(lifted)], as_json=as_json)


@app.command("list")
def list_(everything: All = False, config: Config = None, as_json: AsJson = False) -> None:
    """List what stands of what people said, by whom and why."""
    settings = load(config)
    with board(settings, settings.topics.overrides) as place:
        known = sorted(map(Override.of_record, place.records()), key=lambda one: (one.at, one.id))
    rows = [_row(one) for one in known if everything or one.lifted is None]
    if not (everything or as_json):
        rows = [{name: row[name] for name in row if not name.startswith("lifted")} for row in rows]
    show(rows, as_json=as_json, empty="nobody says anything")


def parameter_of(sensor: str) -> str | None:
    """Give what a sensor measures, by its name; None where it is no sensor's.

    >>> parameter_of("UAT:temperature:2"), parameter_of("JFK")
    ('temperature', None)
    """
    parts = sensor.split(":")
    if len(parts) > 2 and parts[-1].isdecimal():
        parts.pop()
    return parts[-1] if len(parts) > 1 and parts[-1] in PARAMETERS else None


def _say(
    config: Path | None, *, as_json: bool, by: str | None, times: tuple[str, str], **said: Any
) -> None:
    since, until = micros_of(times[0], "FROM"), micros_of(times[1], "TO")
    if until <= since:
        raise wrong(times[1], "it does not lie behind FROM", "swap the two", name="TO")
    _not_empty(said["why"])
    made = Override(
        id=secrets.token_hex(4),
        since=since,
        until=until,
        by=by or operator(),
        at=now_micros(),
        **said,
    )
    settings = load(config)
    with board(settings, settings.topics.overrides) as place, place.changing() as put:
        put(made.id, made.to_record())
    _warn_of_unknown(settings, made)
    show([_row(made)], as_json=as_json)


def _row(one: Override) -> dict[str, Any]:
    lifted = one.lifted
    return {
        "id": one.id,
        "kind": one.kind.value,
        "about": one.sensor or one.station,
        "measure": one.measure,
        "from": text_of(one.since),
        "to": text_of(one.until),
        "as": one.flag,
        "why": one.why,
        "by": one.by,
        "at": moment_of(one.at),
        "lifted_by": lifted.by if lifted else None,
        "lifted_at": moment_of(lifted.at) if lifted else None,
        "lifted_why": lifted.why if lifted else None,
    }


def _check_sensor(sensor: str) -> None:
    if parameter_of(sensor) is None:
        mend = "name station and parameter, such as JFK:wind or UAT:temperature:2"
        raise wrong(sensor, "it names no sensor", mend, name="SENSOR")


def _check_measure(sensor: str, measure: str | None, flag_: int) -> None:
    if measure is None:
        return
    parameter = parameter_of(sensor) or ""
    known = [one.name for one in PARAMETERS[parameter].measures]
    if len(known) == 1 or measure not in known:
        mend = f"name one of {', '.join(known)}" if len(known) > 1 else "leave --measure out"
        raise wrong(measure, f"{parameter} has no such measure", mend, name="--measure")
    if flag_ not in _WORST:
        problem = "of a reading with a measure at fault it is said how bad it is"
        raise wrong(flag_, problem, "give 3 or 4, or leave --measure out", name="--as")


def _not_empty(why: str) -> None:
    if not why.strip():
        raise wrong(why, "it says nothing", "say why, for who reads it", name="--why")


def _warn_of_unknown(settings: Settings, one: Override) -> None:
    """Say so where no metadata tells of a sensor: it may be misspelt."""
    about = one.sensor or f"{one.station}:"
    keys = keys_of(settings, settings.topics.metadata)
    if not any(key == about if one.sensor else key.startswith(about) for key in keys):
        named = one.sensor or one.station
        typer.echo(f"aos: no metadata tells of {named}: see whether it is spelt right", err=True)

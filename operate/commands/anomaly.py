"""``aos anomaly``: models of what is usual, trained, tuned, published and judged; a look ahead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from operate.anomaly import page, prediction, store, tuning
from operate.anomaly import training as learning
from operate.anomaly.forest import USUAL, Growth
from operate.anomaly.judging import judged, stations_of
from operate.anomaly.store import Trained
from operate.given import micros_of, wrong
from operate.options import AsJson, Config
from operate.printing import console, print_json, show
from operate.quality.readings import Past, read_past
from operate.settings import Settings, load
from producers import several
from producers.settings import SourceSettings
from runtime.errors import Configuration
from schemas.topics import PARAMETERS
from sink.database import Connection, Database
from weather.anomaly import to_plain

app = typer.Typer(add_completion=False, no_args_is_help=True)

Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", help="Only this one; may be repeated.")
]
Days = Annotated[float, typer.Option("--days", help="How far back from the newest reading.")]
Contamination = Annotated[
    float, typer.Option("--contamination", help="Part of its history that the forest calls odd.")
]
Trees = Annotated[int, typer.Option("--trees", min=10, max=1000, help="Trees of a forest.")]
Rate = Annotated[float, typer.Option("--rate", help="Part of usual readings that may be flagged.")]
From = Annotated[
    str | None, typer.Option("--from", help="First observation time it judges; else from now on.")
]
Off = Annotated[bool, typer.Option("--off", help="Publish the rules without any model.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only say what would be published.")]
Why = Annotated[str, typer.Option("--why", help="Why; kept beside it.")]
Version = Annotated[str | None, typer.Argument(help="Of a model: print what a ruleset carries.")]
Url = Annotated[
    str | None, typer.Option("--url", help="Database; else source.url of the settings.")
]
Mapping = Annotated[
    Path | None, typer.Option("--mapping", help="Its mapping; else source.mapping.")
]
Table = Annotated[str | None, typer.Option("--table", help="Of the source; else its largest.")]
Stations = Annotated[
    list[str] | None, typer.Option("--station", help="Left out, then judged; else each in turn.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Directory whose page to write anew.")]


class Tables:
    """The tables of the settings, opened for as long as a question takes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def database(self, doing: str = "asking") -> Iterator[Connection]:
        """Open a transaction."""
        with closing(Database(self._settings.sink)) as database:
            database.check()
            with database.transaction(doing) as connection:
                yield connection


@app.callback()
def anomaly() -> None:
    """Learn what is usual from readings that are loaded, and let a ruleset flag what is not.

    Without a published model nothing is asked, and nothing is flagged by it.
    """


@app.command()
def train(
    parameter: Parameters = None,
    days: Days = 365,
    contamination: Contamination = USUAL.contamination,
    trees: Trees = USUAL.trees,
    rate: Rate = learning.ALERT_RATE,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Train a model for each parameter and keep it; nothing judges by it before `tune`."""
    growth = Growth(trees=trees, contamination=contamination)
    with console(stderr=True).status("growing trees"):
        told = learning.train(Tables(load(config)), tuple(parameter or ()), days, growth, rate)
    if as_json:
        return print_json(told)
    for name, found in told.items():
        if "left_out" in found:
            console(stderr=True).print(f"{name}: {found['left_out']}")
    return show([_summary(one) for one in told.values() if "version" in one], as_json=False)


@app.command()
def tune(
    rate: Rate = learning.ALERT_RATE,
    since: From = None,
    off: Off = False,
    dry: Dry = False,
    why: Why = "models of what is usual",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Find the thresholds for a wanted rate of alerts, and publish them as a ruleset.

    The newest model of each parameter goes beside the rules that hold; the stream follows at once.
    """
    learning.check_rate(rate)
    at = micros_of(since, "--from") if since else None
    settings = load(config)
    models = {} if off else _newest(settings)
    tuned = {name: one.at(rate) for name, one in models.items()}
    version = "nothing: this is a dry run"
    if not dry:
        version = tuning.publish(settings, None if off else tuned, at, why).ruleset.version
    rows = [
        {
            "model": one.version,
            "threshold": round(one.threshold, 4),
            "rate": rate,
            "ruleset": version,
        }
        for one in tuned.values()
    ]
    show(rows or [{"ruleset": version, "models": "none"}], as_json=as_json)


@app.command("show")
def show_(version: Version = None, config: Config = None, as_json: AsJson = False) -> None:
    """List the models there are, and which ruleset carries them; or print one."""
    settings = load(config)
    with Tables(settings).database() as connection:
        known = store.every(connection)
    if version is not None:
        return print_json(_printed(known, version))
    carried = tuning.carried(settings)
    rows = [
        {
            "model": one.version,
            "from": one.since,
            "to": one.until,
            **_figures(one.metrics),
            "ruleset": carried.get(one.version),
        }
        for one in known
    ]
    return show(rows, as_json=as_json, empty="there is no model: `aos anomaly train` makes some")


@app.command()
def predict(
    parameter: Parameters = None, days: Days = 120, config: Config = None, as_json: AsJson = False
) -> None:
    """Say what each sensor's next day will be worth, the worst first, and how wrong that may be."""
    tables, found = Tables(load(config)), {}
    for name in parameter or PARAMETERS:
        if name not in PARAMETERS:
            problem, mend = "there is no such parameter", f"name one of {', '.join(PARAMETERS)}"
            raise wrong(name, problem, mend, name="--parameter")
        with tables.database() as connection:
            scores = prediction.day_scores(connection, name, days)
        outlook = prediction.outlook(scores)
        if outlook is not None:
            found[name] = outlook
    if as_json:
        return print_json({name: _document(one) for name, one in found.items()})
    show(
        [row for one in found.values() for row in prediction.as_rows(one)],
        as_json=False,
        empty="no readings have a score",
    )
    for name, one in found.items():
        errors = ", ".join(f"{guess} {error:.3f}" for guess, error in one.errors.items())
        told = f"mean error on {one.judged_on} unseen days: {errors}"
        told = (
            f"{name}: by “{one.by}”; {told if one.judged_on else 'too few days to say how wrong'}"
        )
        console().print(told, highlight=False)
    return None


@app.command()
def judge(  # noqa: PLR0913, PLR0917 - one for each option
    url: Url = None,
    mapping: Mapping = None,
    table: Table = None,
    station: Stations = None,
    rate: Rate = learning.ALERT_RATE,
    out: Out = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put faults into a station that a model has never seen; compare with the rules alone."""
    learning.check_rate(rate)
    source = _source(url, mapping, config)
    with Console(stderr=True).status("reading") as status:
        past = read_past(source)
        names = past.tables()
        chosen = table or max(names, key=lambda name: _size(past.only(name)))
        if chosen not in names:
            mend = f"name one of {', '.join(names)}"
            raise wrong(chosen, "there is no such table", mend, name="--table")
        only = past.only(chosen)
        stations = station or sorted(stations_of(only))
        found = judged(only, stations, rate=rate, tell=lambda what: status.update(Text(what)))
    if out is not None:
        page.write(out, found)
    healthy, faults = ([one.as_row() for one in part] for part in found)
    if as_json:
        return print_json({"healthy": healthy, "faults": faults})
    show(healthy, as_json=False, empty="there are no readings")
    return show(faults, as_json=False, empty="there are no series long enough")


def _summary(found: dict[str, Any]) -> dict[str, Any]:
    return {"model": found["version"], **_figures(found)}


def _figures(metrics: dict[str, Any]) -> dict[str, Any]:
    names = ("sensors", "grown_on", "held_out", "contamination", "threshold", "flagged_of_held_out")
    found = {name.replace("_", " "): metrics[name] for name in names}
    return {**found, "beside neighbours": metrics.get("beside_neighbours", 0)}


def _newest(settings: Settings) -> dict[str, Trained]:
    with Tables(settings).database() as connection:
        found = store.newest(connection)
    if not found:
        problem = "there is no model to publish"
        raise Configuration(problem, mend="run `aos anomaly train`")
    return found


def _printed(known: list[Trained], version: str) -> dict[str, Any]:
    for one in known:
        if one.version == version:
            model = to_plain(one.at(one.metrics["alert_rate"]))
            return {"version": version, "metrics": one.metrics, "model": model}
    mend = "`aos anomaly show` lists them"
    raise wrong(version, "there is no such model", mend, name="VERSION")


def _document(one: prediction.Outlook) -> dict[str, Any]:
    rows = prediction.as_rows(one)
    return {"by": one.by, "errors": one.errors, "judged_on": one.judged_on, "predictions": rows}


def _source(url: str | None, mapping: Path | None, config: Path | None) -> SourceSettings:
    if url is not None and mapping is not None:
        return SourceSettings(url=url, mapping=mapping)
    if url is not None or mapping is not None:
        name, given = ("--url", url) if url else ("--mapping", str(mapping))
        raise Configuration.of(name, str(given), "it stands alone", mend="give both, or neither")
    (chosen,) = several.named(load(config).all_sources(), [])
    return chosen


def _size(past: Past) -> int:
    return sum(len(decoded.records) for decoded in past.readings.values())

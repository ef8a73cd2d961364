"""What a person sees while the readings flow: three bars for each parameter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from operate.demo.flow import Flow
from operate.printing import Fitting

_HOPS = ("published", "judged", "loaded")


class Screen:
    """Draws the flow; a context manager that leaves its last state on the terminal."""

    def __init__(self, console: Console, held: Mapping[str, int]) -> None:
        self._held = held
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(console=console, refresh_per_second=8)

    def __enter__(self) -> Screen:
        """Begin to draw."""
        self.draw(Flow(), "starting the stages")
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing."""
        self._live.stop()

    def draw(self, flow: Flow, doing: str) -> None:
        """Show the counts, and what is going on."""
        self._spinner.update(text=Text(doing, style="dim"))
        self._live.update(Group(drawn(self._held, flow), self._spinner))

    def finish(self, flow: Flow, seconds: float) -> None:
        """Show the last counts, and how long it took."""
        told = f"all is loaded, {seconds:.1f} s after the stages were started"
        done = Text.assemble(("✓ ", "green"), told)
        self._live.update(Group(drawn(self._held, flow), done))


def drawn(held: Mapping[str, int], flow: Flow) -> RenderableType:
    """Draw a line for each parameter and one for all; in a narrow place without the bars."""
    return Fitting(bars(held, flow), numbers(held, flow))


def numbers(held: Mapping[str, int], flow: Flow) -> Table:
    """Draw counts alone."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("parameter", overflow="fold")
    for name in ("in AOS", *_HOPS):
        table.add_column(name, justify="right", overflow="fold")
    counts = [held, *(getattr(flow, hop) for hop in _HOPS)]
    for parameter in held:
        table.add_row(parameter, *(f"{count[parameter]:,}" for count in counts))
    table.add_section()
    sums = (f"{sum(count[parameter] for parameter in held):,}" for count in counts)
    table.add_row("total", *sums, style="bold")
    return table


def bars(held: Mapping[str, int], flow: Flow) -> Table:
    """Draw a bar beside each count."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=False)
    table.add_column("parameter")
    table.add_column("in AOS", justify="right")
    for hop in _HOPS:
        table.add_column(hop, justify="left", min_width=22)
    counts = [getattr(flow, hop) for hop in _HOPS]
    for parameter, total in held.items():
        drawn = [_bar(count[parameter], total) for count in counts]
        table.add_row(parameter, f"{total:,}", *drawn)
    table.add_section()
    whole = sum(held.values())
    sums = [_bar(_sum(count, held), whole) for count in counts]
    table.add_row("total", f"{whole:,}", *sums, style="bold")
    return table


def _sum(count: Counter[str], held: Mapping[str, int]) -> int:
    return sum(count[parameter] for parameter in held)


def _bar(done: int, total: int) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=12)
    grid.add_column(justify="right", min_width=8)
    grid.add_row(
        ProgressBar(total=max(total, 1), completed=min(done, total), width=12), f"{done:,}"
    )
    return grid

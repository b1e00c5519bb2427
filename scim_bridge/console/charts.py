"""Charts as numbers that a template draws as SVG: no script, and a table says the same to who cannot see it."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640
HEIGHT = 180
TOP = 22
BOTTOM = 24
GAP = 0.28


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it counts, where it stands, and a tone (ok, warn, danger or accent)."""

    label: str
    value: float
    tone: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Return where its label stands."""
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars on one ground."""

    title: str
    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT
    ground: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class LineChart:
    """One line; ``points`` as SVG wants them, ``labels`` of its first and last place."""

    title: str
    values: tuple[tuple[str, float], ...]
    points: str
    area: str
    width: int = WIDTH
    height: int = HEIGHT
    ground: int = HEIGHT - BOTTOM


def bars(title: str, values: Sequence[tuple[str, float, str]]) -> BarChart:
    """Return a chart of labels, values and tones."""
    most = max((value for _, value, _ in values), default=0) or 1
    step = WIDTH / max(len(values), 1)
    room = HEIGHT - TOP - BOTTOM
    drawn = []
    for place, (label, value, tone) in enumerate(values):
        height = round(room * value / most, 2)
        x = round(place * step + step * GAP / 2, 2)
        drawn.append(Bar(label, value, tone, x, HEIGHT - BOTTOM - height, round(step * (1 - GAP), 2), height))
    return BarChart(title, tuple(drawn))


def line(title: str, values: Sequence[tuple[str, float]]) -> LineChart:
    """Return a chart of labels and values in their order."""
    most = max((value for _, value in values), default=0) or 1
    step = WIDTH / max(len(values) - 1, 1)
    room = HEIGHT - TOP - BOTTOM
    places = [(round(n * step, 2), round(HEIGHT - BOTTOM - room * v / most, 2)) for n, (_, v) in enumerate(values)]
    points = " ".join(f"{x},{y}" for x, y in places)
    ground = HEIGHT - BOTTOM
    area = f"0,{ground} {points} {places[-1][0]},{ground}" if places else ""
    return LineChart(title, tuple(values), points, area)

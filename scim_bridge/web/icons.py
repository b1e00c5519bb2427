"""The icons of our pages: lines on a grid of 16, drawn for this project, in the colour of the text around them."""

from markupsafe import Markup

_DRAWN = Markup('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="{}"/></svg>')
_LINES = {
    "alert": "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1",
    "arrow-right": "M3 8h10M9 4l4 4-4 4",
    "audit": "M4 2h8v12H4zM6 5h4M6 8h4M6 11h2",
    "bell": "M4.5 11V7a3.5 3.5 0 0 1 7 0v4l1 1h-9zM7 14h2",
    "check": "M3 8.5 6.5 12 13 4.5",
    "chevron": "M4.5 6.5 8 10l3.5-3.5",
    "clock": "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 5v3.2l2.2 1.3",
    "cluster": "M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM8 8l5.3-3M8 8 2.7 5M8 8v6",
    "copy": "M6 6h7v7H6zM3 10V3h7",
    "cross": "M4 4l8 8M12 4l-8 8",
    "directory": "M2 4.5 8 2l6 2.5L8 7zM2 8l6 2.5L14 8M2 11.5 8 14l6-2.5",
    "external": "M9 3h4v4M13 3 7.5 8.5M11 9.5V13H3V5h3.5",
    "filter": "M2 3.5h12L9.5 9v4.5l-3-1.5V9z",
    "gauge": "M2.5 12a6 6 0 1 1 11 0M8 9.5 11 6M8 9.5h.1",
    "group": "M8 7.2A2.1 2.1 0 1 1 8 3a2.1 2.1 0 0 1 0 4.2zM4.5 13v-1a3.5 3.5 0 0 1 7 0v1M3.4 7.6A1.6 1.6 0 0 1 3.6 4.5"
    "M1.5 12v-.6a2.6 2.6 0 0 1 1.6-2.4M12.6 7.6a1.6 1.6 0 0 0-.2-3.1M14.5 12v-.6a2.6 2.6 0 0 0-1.6-2.4",
    "info": "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 7.3V11M8 5v.1",
    "key": "M10.5 2.5a3 3 0 1 1-2.4 4.8L3 12.4V14h2v-1.5h1.5V11l1.6-1.6M10.8 5.2h.1",
    "lock": "M4 7.5h8V14H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
    "mail": "M2 3.5h12v9H2zM2 4l6 4.8L14 4",
    "menu": "M2.5 4h11M2.5 8h11M2.5 12h11",
    "minus": "M3 8h10",
    "people": "M6 7.5a2.3 2.3 0 1 1 0-4.6 2.3 2.3 0 0 1 0 4.6zM1.8 13.2V12a4.2 4.2 0 0 1 8.4 0v1.2"
    "M10.6 3.1a2.2 2.2 0 0 1 0 4.2M14.2 13.2V12a4 4 0 0 0-2.4-3.6",
    "person": "M8 7.5a2.6 2.6 0 1 1 0-5.2 2.6 2.6 0 0 1 0 5.2zM3 13.8v-.8a5 5 0 0 1 10 0v.8",
    "plus": "M8 3v10M3 8h10",
    "project": "M2 4h4.5L8 5.5h6V13H2z",
    "refresh": "M13 4v3.2H9.8M13 7.2A5.2 5.2 0 1 0 12.6 11",
    "role": "M8 1.8 13 3.6v4.2c0 3-2 5.2-5 6.4-3-1.2-5-3.4-5-6.4V3.6zM5.8 8l1.6 1.6L10.4 6.5",
    "rule": "M3 3.5h4v3H3zM9 9.5h4v3H9zM5 6.5V11h4M7 5h4v4.5",
    "search": "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3 14 14",
    "shield": "M8 1.8 13 3.6v4.2c0 3-2 5.2-5 6.4-3-1.2-5-3.4-5-6.4V3.6z",
    "switch": "M5 3 2.5 5.5 5 8M2.5 5.5H13M11 8l2.5 2.5L11 13M13.5 10.5H3",
    "tree": "M6 2h4v3H6zM1.8 11h4v3h-4zM10.2 11h4v3h-4zM8 5v3M3.8 11V8h8.4v3",
    "why": "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.7-.8 1.3M8 11.4v.1",
}


def icon(name: str) -> Markup:
    """Return an icon as a part of a page; it says nothing to a screen reader, the words beside it do."""
    return _DRAWN.format(_LINES[name])

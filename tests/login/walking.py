"""A browser that follows redirects over real HTTP and fills in whatever form it meets."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Form(HTMLParser):
    """The first form of a page: where it goes and what is in it already."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.values: dict[str, str] = {}
        self.refresh: str | None = None
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what matters of a tag."""
        found = {name: value or "" for name, value in attrs}
        if tag == "meta" and found.get("http-equiv") == "refresh":
            self.refresh = found["content"].partition("url=")[2]
        if tag == "form" and self.action is None:
            self.action, self._inside = found.get("action", ""), True
        elif tag in ("input", "button") and (self._inside or "form" in found) and found.get("name"):
            # The first button of several is the one that goes on.
            self.values.setdefault(found["name"], found.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        """Notice the end of the form."""
        if tag == "form":
            self._inside = False


class Walker:
    """One person with one browser."""

    def __init__(self, home: str, **answers: str) -> None:
        self.home = home
        self.session = requests.Session()
        self.answers = answers

    def walk(self, url: str) -> requests.Response:
        """Go somewhere and on, through every form of another site, until a page of the bridge's own is there."""
        answer = self.session.get(url, timeout=20)
        for _ in range(8):
            if answer.url.startswith(self.home):
                return answer
            answer = self.fill(answer)
        raise AssertionError(f"It never came back; it stands at {answer.url}: {answer.text[:2000]}")

    def fill(self, answer: requests.Response) -> requests.Response:
        """Send the form of a page with what this person knows."""
        form = Form(answer.text)
        assert form.action is not None, f"{answer.status_code} {answer.url}: {answer.text[:2000]}"
        values = {name: self.answers.get(name, value) for name, value in form.values.items()}
        return self.session.post(urljoin(answer.url, form.action or answer.url), values, timeout=20)

    def is_signed_in(self) -> bool:
        """Say whether the account's page opens."""
        answer = self.session.get(f"{self.home}/account", timeout=20, allow_redirects=False)
        return answer.status_code == 200

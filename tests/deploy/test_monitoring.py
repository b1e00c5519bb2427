"""Alerts and the dashboard under `deploy/monitoring/`: they ask for numbers that exist, and lead somewhere."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.rest import open_rest
from tests.house.source import ROOT
from tests.machine import require

FOLDER = ROOT / "deploy" / "monitoring"
RUNBOOKS = ROOT / "docs" / "runbooks"
OURS = re.compile(r"\bscim_bridge_[a-z_]+")
TOKEN = "a-token-for-prometheus"


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return found


def shown() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def promtool(*words: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        require("promtool", "Debian's prometheus has it")
    done = subprocess.run([program, *words], capture_output=True, text=True, cwd=FOLDER, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_leads_to_a_page_that_says_where_to_look_and_what_to_do(rule: dict[str, Any]) -> None:
    page = ROOT / rule["annotations"]["runbook_url"]

    text = page.read_text()

    assert text.startswith(f"# {rule['alert']}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Look", "Do"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert f"[{rule['alert']}]({page.name})" in (RUNBOOKS / "README.md").read_text()


def test_every_page_belongs_to_an_alert() -> None:
    named = {Path(rule["annotations"]["runbook_url"]).name for rule in rules()}

    assert {each.name for each in RUNBOOKS.glob("*.md")} == named | {"README.md"}


def test_every_number_that_is_asked_for_is_one_that_the_bridge_tells(migrated_sqlite: Path, tmp_path: Path) -> None:
    copied = shutil.copy(migrated_sqlite, tmp_path / "told.sqlite3")
    with open_rest(f"sqlite:///{copied}", tmp_path, metrics_token=TOKEN) as rest:
        client = rest.app.test_client()
        client.get("/healthz")
        text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    told = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    told |= {f"{name}_bucket" for name in told}

    asked = {
        name for expression in (*shown(), *(rule["expr"] for rule in rules())) for name in OURS.findall(expression)
    }

    assert len(asked) > 15
    assert asked - told == set()


def test_the_handbook_explains_every_number(migrated_sqlite: Path, tmp_path: Path) -> None:
    copied = shutil.copy(migrated_sqlite, tmp_path / "told.sqlite3")
    with open_rest(f"sqlite:///{copied}", tmp_path, metrics_token=TOKEN) as rest:
        text = rest.app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    told = set(re.findall(r"^# TYPE scim_bridge_(\S+)", text, re.MULTILINE))
    handbook = (ROOT / "docs" / "operations.md").read_text()

    assert {name for name in told if f"`{name}" not in handbook and not name.endswith("_created")} == set()


def test_prometheus_accepts_the_alerts_and_they_fire_when_they_should() -> None:
    promtool("check", "rules", "alerts.yaml")
    promtool("test", "rules", "alerts.test.yaml")


def test_prometheus_can_read_what_the_dashboard_asks_for(tmp_path: Path) -> None:
    recorded = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(shown())
    ]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))

    promtool("check", "rules", str(file))

    assert len({panel["id"] for panel in panels()}) == len(panels()) == len(recorded)

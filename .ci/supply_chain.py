"""
What `make check` does about dependencies: a CycloneDX bill of materials in build/sbom.json, and a look for known holes.

Ends with 1 for a vulnerability that is known, and says loudly when nobody could be asked: a service that is away is no
reason to stop, and no reason to believe that there is none.
"""

import json
import subprocess
import sys
from pathlib import Path

AWAY = (
    "ConnectionError",
    "Max retries exceeded",
    "Name or service not known",
    "timed out",
    "ServiceError",
    "HTTPError",
)
PATIENCE_SECONDS = 150
BILL = Path("build/sbom.json")


def main() -> int:
    """Write the bill, ask for holes, and return the exit code."""
    write_bill(BILL)
    print(f"{BILL}: {len(json.loads(BILL.read_text())['components'])} components, valid CycloneDX")
    try:
        done = subprocess.run(audit_command(), capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        done = subprocess.CompletedProcess([], 1, "", f"the request timed out after {PATIENCE_SECONDS} s")
    return judge(done)


def write_bill(file: Path) -> None:
    """Write what this environment is made of; raises where it is not valid CycloneDX."""
    file.parent.mkdir(parents=True, exist_ok=True)
    words = ["environment", "--pyproject", "pyproject.toml", "--mc-type", "application", "--output-reproducible"]
    words += ["--spec-version", "1.6", "--validate", "--output-format", "JSON", "--output-file", str(file)]
    subprocess.run([_program("cyclonedx-py"), *words, sys.executable], check=True, stderr=subprocess.DEVNULL)


def audit_command() -> list[str]:
    """Return what asks for known vulnerabilities of everything that is installed but the project itself."""
    return [
        _program("pip-audit"),
        "--skip-editable",
        "--format",
        "json",
        "--progress-spinner",
        "off",
        "--timeout",
        "10",
    ]


def judge(done: "subprocess.CompletedProcess[str]") -> int:
    """Return 0 when no hole is known, 1 when one is; a service that does not answer is said and is no failure."""
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return _unanswered(done)
    holes = [(each["name"], each["version"], hole["id"]) for each in found for hole in each.get("vulns", ())]
    for name, version, hole in holes:
        print(f"VULNERABLE: {name} {version}: {hole}")
    if not holes:
        print(f"pip-audit: no vulnerability is known in {len(found)} packages")
    return 1 if holes else 0


def _unanswered(done: "subprocess.CompletedProcess[str]") -> int:
    said = done.stderr.strip().splitlines()[-1:] or ["no word"]
    if any(word in done.stderr for word in AWAY):
        print(f"NOT CHECKED: the vulnerability service does not answer ({said[0][:200]})", file=sys.stderr)
        return 0
    print(f"pip-audit failed: {said[0][:500]}", file=sys.stderr)
    return 1


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


if __name__ == "__main__":
    sys.exit(main())

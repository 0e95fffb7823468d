"""The files in .github: what GitHub would reject is found here, by the schemas that check-jsonschema brings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator

ROOT = Path(__file__).resolve().parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def load(path: Path) -> Any:
    """Read YAML as GitHub does: `on` is a name, not a truth value."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
    return yaml.load(path.read_text("utf-8"), Loader)


def problems(content: Any, schema: str) -> list[str]:
    errors = Draft7Validator(get_builtin_schema(f"vendor.{schema}")).iter_errors(content)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_follow_the_schema(path: Path) -> None:
    assert problems(load(path), "github-workflows") == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_follow_the_schema(path: Path) -> None:
    assert problems(load(path), "github-issue-forms") == []


def test_the_settings_of_issues_follow_the_schema() -> None:
    assert problems(load(GITHUB / "ISSUE_TEMPLATE" / "config.yml"), "github-issue-config") == []


def test_the_schema_sees_what_is_wrong() -> None:
    workflow = load(WORKFLOWS[0])
    del workflow["jobs"]["linux"]["runs-on"]
    assert problems(workflow, "github-workflows")
    form = load(FORMS[0])
    form["body"][1]["type"] = "text"
    assert problems(form, "github-issue-forms")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_workflows_may_only_read(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@(v\d+|[0-9a-f]{40})", action) for action in used), used
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


def test_what_the_workflow_runs_exists() -> None:
    jobs = load(GITHUB / "workflows" / "checks.yml")["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert commands["linux"] == ["bash .ci/run"]
    demo, tests = commands["bootstrap"]
    assert demo == "python dev.py demo"
    first, *paths = tests.removeprefix("python dev.py ").split()
    assert first == "test"
    assert len(paths) >= 5
    assert all((ROOT / path).is_file() for path in paths), paths
    systems = jobs["bootstrap"]["strategy"]["matrix"]["system"]
    assert {system.split("-")[0] for system in systems} == {"macos", "windows"}

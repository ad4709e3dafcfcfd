"""The environment, then the TOML file, then the defaults; nothing unknown, everything described."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from docqa.commands.config import describe
from docqa.errors import InvalidModel
from docqa.intake.limits import Limits
from docqa.settings import Settings

ROOT = Path(__file__).parent.parent
DOCQA = Path(sys.executable).parent / "docqa"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "docqa.toml"
    monkeypatch.setenv("DOCQA_CONFIG", str(path))
    return path


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('port = 9001\nworkers = 7\npolicy = "mine"\n')
    monkeypatch.setenv("DOCQA_WORKERS", "5")
    settings = Settings()
    assert (settings.port, settings.workers, settings.policy) == (9001, 5, "mine")
    assert settings.waiting is None


@pytest.mark.parametrize("text", ["prot = 1\n", "[limits]\nport = 1\n", "port = \n"])
def test_a_key_that_does_not_exist_stops_the_start(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(InvalidModel, match=r"docqa\.toml"):
        Settings()


def test_a_variable_that_does_not_exist_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCQA_WORKRES", "4")
    with pytest.raises(InvalidModel, match="DOCQA_WORKRES"):
        Settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DOCQA_TIME_ZONE", "Mars/X"),
        ("DOCQA_TIME_ZONE", "../etc/passwd"),
        ("DOCQA_RATE_LIMIT", "often"),
        ("DOCQA_RATE_LIMIT", "0/minute"),
        ("DOCQA_PUBLIC_URL", "docqa.example.org"),
        ("DOCQA_RATE_LIMIT", "600"),
    ],
)
def test_a_zone_rate_or_address_that_is_none_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError, match=variable.removeprefix("DOCQA_").lower()):
        Settings()


def test_a_file_that_is_not_there_stops_the_start(file: Path) -> None:
    with pytest.raises(InvalidModel, match="cannot be read"):
        Settings()


@pytest.mark.parametrize(
    "values",
    [
        {"dev": True, "host": "0.0.0.0"},
        {"oidc_issuer": "https://id.example.org"},
        {"s3_endpoint": "https://s3.example.org"},  # and no bucket
        {"s3_access_key_id": "id", "s3_secret_access_key": "secret"},
        {"workers": 0},
        {"port": 70_000},
    ],
    ids=str,
)
def test_values_that_make_no_sense_stop_the_start(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(values)


def test_settings_take_over_the_limits_of_others() -> None:
    others = Limits(*range(100, 105))
    assert Settings().limits() != others
    assert Settings().with_limits(others).limits() == others


def test_every_setting_is_described_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    describe.main([], standalone_mode=False)
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert page == capsys.readouterr().out, "docqa config describe > docs/configuration.md"
    for name in Settings.model_fields:
        assert f"| `DOCQA_{name.upper()}` |" in page


def test_config_check_says_what_is_wrong_and_shows_no_secret(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DOCQA_DATABASE_URL": f"sqlite:///{tmp_path}/d.sqlite3",
        "DOCQA_OIDC_CLIENT_SECRET": "hush",
        "DOCQA_PORT": "many",
    }
    done = subprocess.run(
        [DOCQA, "config", "check"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 9
    assert "DOCQA_PORT" in done.stderr and "Traceback" not in done.stderr
    assert "hush" not in done.stderr

"""``docqa reviewer``: whoever runs an installation lets people in."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from click.testing import CliRunner, Result

from docqa import wiring
from docqa.cli import cli
from docqa.settings import Settings


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCQA_DATABASE_URL", f"sqlite:///{tmp_path}/docqa.sqlite3")
    monkeypatch.setenv("DOCQA_BLOBS_DIR", str(tmp_path / "blobs"))


def reviewer(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, ["reviewer", *arguments], input=typed)


def account(name: str) -> tuple[str, str]:
    """The hash of the password, and the role."""
    stores = wiring.open_stores(Settings())
    known, role = stores.documents.password_hash(name), stores.clients.role(name)
    stores.documents.close()
    assert known is not None
    return known, role


def test_an_account_is_made_with_the_password_that_is_typed_twice() -> None:
    made = reviewer("huda", typed="correct horse\ncorrect horse\n")
    assert made.exit_code == 0, made.output
    assert "huda can sign in at /review." in made.output
    assert "correct horse" not in made.output
    known, role = account("huda")
    assert PasswordHasher().verify(known, "correct horse")
    assert role == "reviewer"


def test_the_same_name_gets_a_new_password_and_role() -> None:
    reviewer("huda", "--password", "correct horse")
    assert reviewer("huda", "--password", "battery staple", "--role", "senior").exit_code == 0
    known, role = account("huda")
    assert PasswordHasher().verify(known, "battery staple")
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(known, "correct horse")
    assert role == "senior"


def test_a_new_password_alone_leaves_the_role_as_it_is() -> None:
    reviewer("huda", "--password", "correct horse", "--role", "auditor")
    assert reviewer("huda", "--password", "battery staple").exit_code == 0
    assert account("huda")[1] == "auditor"


def test_an_account_is_closed_and_opened_again_by_a_new_password() -> None:
    reviewer("huda", "--password", "correct horse", "--role", "auditor")
    closed = reviewer(" huda ", "--disable")
    assert closed.exit_code == 0, closed.output
    assert "huda cannot sign in any more" in closed.output
    known, role = account("huda")
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(known, "correct horse")
    assert role == "auditor"
    assert reviewer("huda", typed="battery staple\nbattery staple\n").exit_code == 0
    known, role = account("huda")
    assert PasswordHasher().verify(known, "battery staple") and role == "auditor"


@pytest.mark.parametrize(
    "more", [(), ("--password", "battery staple"), ("--role", "senior")], ids=str
)
def test_only_an_account_that_is_there_is_closed_and_nothing_else_is_done(
    more: tuple[str, ...],
) -> None:
    name = "huda" if more else "nobody"
    reviewer("huda", "--password", "correct horse")
    refused = reviewer(name, "--disable", *more)
    assert refused.exit_code == 2
    assert ("goes alone" if more else "there is no account") in refused.output
    known, role = account("huda")
    assert PasswordHasher().verify(known, "correct horse") and role == "reviewer"


@pytest.mark.parametrize(
    ("name", "password"),
    [("", "correct horse"), ("  ", "correct horse"), ("hu\nda", "correct horse"),
     ("h" * 201, "correct horse"), ("huda", ""), ("huda", "too short 1")],
)  # fmt: skip
def test_a_name_that_cannot_sign_in_or_a_short_password_is_refused(
    name: str, password: str
) -> None:
    refused = reviewer(name, "--password", password)
    assert refused.exit_code == 2
    assert "characters" in refused.output
    stores = wiring.open_stores(Settings())
    assert stores.documents.password_hash(name.strip()) is None
    stores.documents.close()


def test_the_name_is_that_which_signs_in() -> None:
    assert reviewer(" huda ", "--password", "correct horse").exit_code == 0
    assert account("huda")[1] == "reviewer"


def test_an_unknown_role_is_refused() -> None:
    refused = reviewer("huda", "--password", "correct horse", "--role", "king")
    assert refused.exit_code == 2
    stores = wiring.open_stores(Settings())
    assert stores.documents.password_hash("huda") is None
    stores.documents.close()

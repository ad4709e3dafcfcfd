"""A TOML text gives its tables or an error that says what is wrong."""

from __future__ import annotations

import pytest

from docqa.errors import InvalidModel
from docqa.toml_text import tables_of


def test_tables_come_as_they_are_written() -> None:
    assert tables_of('id = "x"\n[skew]\naccept = 1.5\n', "a policy") == {
        "id": "x",
        "skew": {"accept": 1.5},
    }


@pytest.mark.parametrize(
    "text",
    ["id = [", "= 1", "a = 1\na = 2", "a = " + "[" * 100_000, "a = " + "{b=" * 100_000],
    ids=["open", "no key", "twice", "lists in lists", "tables in tables"],
)
def test_everything_else_is_an_error_that_says_of_what(text: str) -> None:
    with pytest.raises(InvalidModel, match=r"^a policy is "):
        tables_of(text, "a policy")

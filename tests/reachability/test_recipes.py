"""The words for the other side name the very address that is to be entered there."""

from __future__ import annotations

import pytest

from jupytui.reachability.recipes import KINDS, recipe


@pytest.mark.parametrize("kind", KINDS)
def test_each_recipe_starts_with_a_password_and_leaves_nothing_to_fill_in(kind: str) -> None:
    made = recipe(kind, "lab.example", 8888, "10.1.2.3")
    assert "password" in made.steps[0]
    assert "{enter}" not in "".join(made.steps) and "{domain}" not in "".join(made.steps)
    assert made.enter in "".join(made.steps)


def test_another_machine_is_given_the_address_of_this_one_and_the_same_machine_is_not() -> None:
    assert recipe("ddnsto", "lab.example", 8888, "10.1.2.3").enter == "http://10.1.2.3:8888"
    assert recipe("ddnsto", "lab.example", 8888, "10.1.2.3").lan
    assert recipe("cloudflared", "lab.example", 8888, "10.1.2.3", tls=True).enter == "https://localhost:8888"

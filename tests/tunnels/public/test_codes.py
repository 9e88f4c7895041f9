from __future__ import annotations

import pytest

from jupytui.tunnels.public.codes import explain, find_code


@pytest.mark.parametrize("code", [105, 107, 108, 120, 334, 3200, 4018, 6024, 8012])
def test_each_code_is_a_sentence_and_what_to_do(code: int) -> None:
    error = explain(code)
    assert error.code == code
    assert error.message.endswith(".")
    assert error.hint
    assert "ERR_NGROK" not in error.message


def test_a_code_nobody_has_heard_of_is_named_with_the_page_about_it() -> None:
    error = explain(99999)
    assert "ERR_NGROK_99999" in error.message
    assert "err_ngrok_99999" in error.hint
    assert not error.retry


def test_only_what_passes_by_itself_is_tried_again() -> None:
    assert [code for code in (105, 107, 108, 334, 4018) if explain(code).retry] == [108, 334]


def test_codes_are_found_in_whatever_carries_them() -> None:
    assert find_code('lvl=eror err="authentication failed\\n\\nERR_NGROK_105\\n"') == 105
    assert find_code("ERR_NGROK_8012") == 8012
    assert find_code("nothing") is None
    assert find_code("ERR_NGROK_" + "9" * 5000) == 999999

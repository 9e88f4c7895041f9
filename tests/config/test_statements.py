from __future__ import annotations

from jupytui.config.statements import line_of, split_statements

TEXT = '''# head
refresh = 1
hosts.x.tags = [
 "a", # ] not the end
 "b"]

[hosts."a.b"]
ssh = """
[not.a.table]
"""
[[many]]
[keys]
a.b = {c = 1, d = {}}'''


def test_statements_joined_are_the_text() -> None:
    for text in (TEXT, TEXT + "\n", TEXT.replace("\n", "\r\n"), "", "\n\n", "# only"):
        assert "".join(statement.text for statement in split_statements(text)) == text


def test_a_statement_knows_its_first_line_and_what_it_names() -> None:
    named = {statement.line: statement.paths for statement in split_statements(TEXT) if statement.paths}
    assert named == {
        2: (("refresh",),),
        3: (("hosts", "x", "tags"),),
        7: (("hosts", "a.b"),),
        8: (("hosts", "a.b", "ssh"),),
        11: (("many",),),
        12: (("keys",),),
        13: (("keys", "a", "b", "c"), ("keys", "a", "b", "d")),
    }


def test_line_of_a_key_is_where_it_is_first_named() -> None:
    assert line_of(TEXT, ("hosts", "a.b", "ssh")) == 8
    assert line_of(TEXT, ("hosts",)) == 3
    assert line_of(TEXT, ("keys", "a", "b", "d")) == 13
    assert line_of(TEXT, ("hosts", "x", "missing")) == 3
    assert line_of(TEXT, ("nowhere",)) == 1

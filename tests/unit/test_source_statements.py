"""What SQL Server gets to see: written down, parsed as T-SQL, and documented."""

from __future__ import annotations

import pytest
import sqlfluff

from tests import other_statements
from tests.source_statements import DOCUMENT, GOLDEN, document, statements

pytestmark = pytest.mark.slow

KNOWN = statements()


@pytest.mark.requirement("A6", "E8")
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_statement_for_sql_server_is_as_written_down_and_is_t_sql(name: str) -> None:
    written = (GOLDEN / f"{name}.sql").read_text(encoding="utf-8")
    assert KNOWN[name] == written
    sqlfluff.parse(written, dialect="tsql")


def test_no_statement_is_written_down_that_is_not_sent() -> None:
    ours = {name.partition("_")[0] for name in KNOWN}
    there = {path.stem for path in GOLDEN.glob("*.sql") if path.stem.partition("_")[0] in ours}
    assert there == set(KNOWN)


@pytest.mark.requirement("E8")
def test_the_document_lists_every_statement_as_it_is() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


@pytest.mark.requirement("A6")
def test_a_parameter_has_the_type_of_the_column_it_is_compared_with() -> None:
    for name, cast in [
        ("timestamp_id_next_page", "convert(DATETIME2(7), "),
        ("timestamp_id_next_page_datetime", "convert(DATETIME, "),
        ("timestamp_id_next_page_text", "CAST('TA' AS NVARCHAR(2))"),
        ("rowversion_next_page", "convert(binary(8), "),
    ]:
        condition = KNOWN[name].partition("WHERE")[2]
        assert cast in condition
        assert "convert(varchar" not in condition, "the column is compared, not its text"


@pytest.mark.requirement("E8")
def test_no_statement_reads_what_is_not_committed_or_counts_its_way_to_a_page() -> None:
    for sql in KNOWN.values():
        assert "NOLOCK" not in sql.upper()
        assert "OFFSET" not in sql.upper()


OTHERS = {
    sql: sender
    for part in (other_statements.metadata, other_statements.backfill, other_statements.inspection)
    for sender, sql in part()
    if " AS aos" in sql
}


@pytest.mark.requirement("A2", "A7", "E8")
@pytest.mark.parametrize("sql", OTHERS, ids=list(OTHERS.values()))
def test_what_no_cursor_sends_is_t_sql_and_bounded_by_keys_and_ranges(sql: str) -> None:
    sqlfluff.parse(sql, dialect="tsql")
    assert "NOLOCK" not in sql
    assert "OFFSET" not in sql
    if sql.startswith("SELECT TOP 5000 "):
        assert "ORDER BY aos.[at]" in sql


@pytest.mark.requirement("A7", "E8")
def test_a_backfill_gives_way_and_waits_for_nobody() -> None:
    sent = [sql for _, sql in other_statements.backfill()]
    assert "SET DEADLOCK_PRIORITY LOW;" in sent
    first = next(n for n, sql in enumerate(sent) if " AS aos" in sql)
    assert "SET TRANSACTION ISOLATION LEVEL SNAPSHOT;" in sent[:first]

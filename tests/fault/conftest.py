"""What all fault tests share: their processes are killed, so no lines are counted in them."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _killed(uncounted: None) -> None:
    pass

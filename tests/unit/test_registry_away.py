"""A registry that is not there: a wrong setting at start, a transient fault later."""

from __future__ import annotations

from contextlib import closing

import pytest

from runtime.errors import Configuration, Transient
from schemas.registry import Registry, RegistrySettings

NOBODY = RegistrySettings(url="http://127.0.0.1:9/apis/ccompat/v7", timeout_seconds=0.5)


@pytest.mark.requirement("D3")
def test_a_registry_that_is_away_at_start_is_a_wrong_setting() -> None:
    with closing(Registry(NOBODY)) as registry, pytest.raises(Configuration) as caught:
        registry.check()
    assert str(caught.value).startswith(
        "setting registry.url = 'http://127.0.0.1:9/apis/ccompat/v7': no schema registry answers"
    )


@pytest.mark.requirement("D3")
def test_a_registry_that_goes_away_is_transient() -> None:
    with closing(Registry(NOBODY)) as registry:
        with pytest.raises(Transient):
            registry.schema_of(1)
        with pytest.raises(Transient):
            registry.id_of("subject", "raw_index")

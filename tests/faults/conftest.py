"""What the trials start from, made once."""

from __future__ import annotations

import pytest

from tests.faults.trial import Ground


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path_factory.mktemp("ground"))

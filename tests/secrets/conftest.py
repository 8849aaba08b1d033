from tests.hostile.conftest import no_pauses, shop

__all__ = ["no_pauses", "shop"]

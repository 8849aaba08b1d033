from tests.hostile.conftest import applied_shop, no_pauses, shop

__all__ = ["applied_shop", "no_pauses", "shop"]

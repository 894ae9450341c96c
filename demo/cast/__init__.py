"""The demo's organisation: about 25 accounts and 1,000 users with every interesting case, and what is true of them.

`truth` counts from this data alone, by docs/rules.md, without any of the product's code: tests hold the pages against it.
"""

from demo.cast.accounts import organization
from demo.cast.truth import Truth, truth

__all__ = ["Truth", "organization", "truth"]

"""nbformat, imported without the second that jsonschema takes to build a grammar of addresses in every script.

Notebooks' schema has no such addresses, and jsonschema does without the grammar where it is not installed.
"""

import sys

GRAMMAR = "rfc3987_syntax"

_hidden = GRAMMAR not in sys.modules
if _hidden:
    sys.modules[GRAMMAR] = None  # type: ignore[assignment]
try:
    import nbformat
finally:
    if _hidden:
        del sys.modules[GRAMMAR]

__all__ = ["nbformat"]

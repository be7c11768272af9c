"""What is not to be said: passwords in addresses, and what secret variables of the environment stand for."""

import os
import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|(?:API|ACCESS|SECRET|PRIVATE)_?KEY|PAT|PIN|CREDENTIALS?|URL|URI|DSN"
    r"|CONNECTION)$",
    re.IGNORECASE,
)
URL_USER = re.compile(r"\b(\w+://)(?:[^\s\"'\\<>/@:]*:[^\s\"'\\<>]+|[^/\s@\"'\\]+)@")
PLACE = ("/", "./", "../", "~/")  # how a value begins that is a folder, which a person is to find
LONG = 8  # letters of a value that stands in a text by no chance
_used: set[str] = set()  # the variables that the files of a source name


def variable(name: str) -> str:
    """Return what a variable that a source's file names stands for, "" where it is not set."""
    _used.add(name)
    return os.environ.get(name, "")


def scrub(text: str) -> str:
    """Return a text without users and passwords in addresses, and without the values of secret-looking variables."""
    secret = (name for name, value in os.environ.items() if len(value) >= LONG and SECRET_NAME.search(name))
    return _without(secret, text, "{}")


def hidden(text: str) -> str:
    """Return what an engine or a library said, without what any variable that the source's files name stands for."""
    used = (name for name in _used if not os.environ.get(name, "").startswith(PLACE))
    return _without(used, scrub(text), r"(?<!\w){}(?!\w)")


def _without(names: Iterable[str], text: str, place: str) -> str:
    given = {name: os.environ.get(name, "") for name in names}
    values = {name: value for name, value in given.items() if value and not os.path.exists(value)}  # noqa: PTH110
    for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
        for written in {value, value.replace("'", "''"), unquote(value), quote(value, safe="")}:
            text = re.sub(place.format(re.escape(written)), f"${{{name}}}", text)
    return URL_USER.sub(r"\1…@", text)

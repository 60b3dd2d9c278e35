"""Which requests of the feed are wanted: a search by words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.witnesses import RequestView
from tui.formatting import client_name
from tui.ink import plain_text
from tui.request_text import chain


@dataclass
class FeedFilter:
    """Wants what holds all of the words. A word of digits is a whole number: 74 is no part of PID 27412."""

    text: str = ""
    _known: dict[int, tuple[RequestView, bool]] = field(default_factory=dict)
    """What was found out about requests that are still in the feed."""

    def __post_init__(self) -> None:
        self._patterns = [_pattern(word) for word in self.text.casefold().split()]

    def matching(self, feed: Sequence[RequestView]) -> Sequence[RequestView]:
        """Those that are wanted, in the order of the feed."""
        if not self._patterns:
            return feed
        known = self._known
        self._known = {
            request.number: seen
            if (seen := known.get(request.number)) is not None and seen[0] is request
            else (request, self.wants(request))
            for request in feed
        }
        return [request for request, is_wanted in self._known.values() if is_wanted]

    def wants(self, request: RequestView) -> bool:
        """Whether its line holds every word; when it came and how long it took don't count."""
        said = searchable(request)
        return all(pattern.search(said) for pattern in self._patterns)


def searchable(request: RequestView) -> str:
    """What can be found of a request: method, URI, backends, PID, client and status, in small letters."""
    client = "" if request.client is None else f"({client_name(request.client)}) {request.client}"
    pid = "" if request.pid is None else f"pid {request.pid}"
    way = plain_text(tuple(chain(request.attempts, is_cut=request.is_cut)))
    return f"{request.method} {request.uri} {way} {pid} {client} {request.status}".casefold()


def _pattern(word: str) -> re.Pattern[str]:
    found = re.escape(word)
    return re.compile(rf"(?<!\d){found}(?!\d)" if word.isdecimal() else found)

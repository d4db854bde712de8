"""Searches of engines that have an API: page after page of JSON, until there are enough addresses or no more."""

from __future__ import annotations

from crawler.addresses import Refusal
from crawler.engines.base import ApiEngine, Kind, Page
from crawler.fetch import Client
from crawler.order import Order, Outcome, Take
from crawler.reports import save_page
from curation.records import SearchState

MOST_PAGES = 200
SERVER_ERROR, SLOW = 500, (408, 425)


async def search(client: Client, engine: ApiEngine, order: Order, take: Take) -> Outcome:
    """Asks until `take` has enough; what went wrong is the outcome's state, never an exception."""
    found, known = 0, set[str]()
    for number in range(MOST_PAGES):
        address = order.home + engine.address(order.job.keyword, order.filters, number)
        try:
            status, text = await client.json(address, engine.headers)
        except Refusal as refusal:
            return Outcome(SearchState.UNREACHABLE, refusal.said, found=found)
        reading = engine.read(Page(address, text, status=status))
        if reading.kind is not Kind.OK:
            if reading.kind is Kind.EMPTY and found:
                return Outcome(SearchState.OK, exhausted=True, found=found)
            where = (
                ""
                if reading.kind is Kind.EMPTY
                else save_page(order.report, text, f"{engine.name} {reading.kind} {reading.marker} · {address}")
            )
            detail = "; ".join(filter(None, (reading.marker, where)))
            return Outcome(_state(reading.kind, status), detail, reading.kind is Kind.EMPTY, found)
        new = [one for one in reading.found if one.address not in known and (order.thumbnails or not one.thumbnail)]
        known.update(one.address for one in new)
        found += len(new)
        if not take(new):
            return Outcome(SearchState.OK, exhausted=reading.ended, found=found)
        if reading.ended or not new:
            break
    if not found:
        return Outcome(SearchState.EMPTY, "only thumbnails", exhausted=True)
    return Outcome(SearchState.OK, exhausted=True, found=found)


def _state(kind: Kind, status: int) -> SearchState:
    """A server that is out of order has not changed its answers."""
    out_of_order = kind is Kind.CHANGED and (status >= SERVER_ERROR or status in SLOW)
    return SearchState.UNREACHABLE if out_of_order else SearchState(kind.value)

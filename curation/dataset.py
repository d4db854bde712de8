"""A dataset: pictures by label in a folder, and a database that knows every address and what became of it.

The only code that touches the folder's layout. Several threads may use one `Dataset`, and several processes may have
the same folder open; each process becomes a run when it first claims something, and what a dead run left is put in
order by whoever comes next. Opening a dataset changes nothing else.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from curation import claims, finding, reading, runs, settling
from curation.database import Database
from curation.folders import checked_root, folder_of
from curation.pictures import Pictures
from curation.records import Claim, Found, Job, JobCounts, Kept, Reason, Refused, SearchRecord, SearchState
from curation.rows import ImageRow, RefusalRow, RunRow, SourceRow
from handwriter_models.layout import DATABASE, INCOMING, PICTURES, REPORTS

_LOOK = 1.0  # seconds between two looks for processes that have died, and between two waits for the folders' disk


@dataclass(frozen=True)
class Outside:
    """What a dataset needs of the world; tests hand in their own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC).replace(microsecond=0)
    rename: settling.Move = os.replace


class Dataset:
    """An open dataset; a context manager.

    Args:
        root: its folder, made when it is not there and `create` is true.
        create: whether a folder without a dataset becomes one.
        outside: clock and rename.

    Raises:
        UserError: when the folder cannot be used: a file, not writable, a foreign, newer or damaged database.
    """

    def __init__(self, root: Path, *, create: bool = True, outside: Outside = Outside()) -> None:
        self.root = checked_root(Path(root), create)
        self._outside = outside
        self._database = Database(self.root / DATABASE)
        self.pictures = Pictures(self.root, self._database, self._now)
        self._starting = threading.Lock()
        self._run: runs.Run | None = None
        self._folders: dict[str, str] = {}
        self._looked = self._synced = 0.0
        self._unsynced: set[Path] = set()
        try:
            self._bury_the_dead()
            self.pictures.repair()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Dataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def incoming(self) -> Path:
        """The folder for this process's files that wait to be taken in; on the same file system as the pictures."""
        return self._our_run().folder

    @property
    def reports(self) -> Path:
        """The folder for pages that could not be read; made by whoever puts one there."""
        return self.root / REPORTS

    def folder_of(self, label: str) -> str:
        """The name of the label's folder below `images`."""
        if label not in self._folders:
            with self._database.writing() as connection:
                self._folders[label] = folder_of(connection, label, self.root / PICTURES)
        return self._folders[label]

    def add(self, job: Job, found: Sequence[Found]) -> int:
        """Stores found addresses, in order, as waiting to be fetched; returns how many were new to label and engine."""
        self.folder_of(finding.checked(job).label)
        with self._database.writing() as connection:
            finding.note(connection, job)
            return finding.add(connection, job, found, self._now())

    def claim(self, job: Job, count: int, limit: int) -> list[Claim]:
        """The next addresses of the job to fetch, at most `count`.

        Never more than there is room for: what a label has of an engine, kept and being fetched by anyone alive, stays
        within `limit`. Addresses known to another label or engine end here without a fetch, as they did there;
        those being fetched there wait. So an empty answer means "nothing now", and `counts` tells whether some wait.
        """
        if time.monotonic() - self._looked > _LOOK:
            self._bury_the_dead()
        with self._database.reading() as connection:
            if not claims.room(connection, job, limit):
                return []
        who = claims.Claimant(self._our_run().id, self._now())
        with self._database.writing() as connection:
            return claims.claim(connection, job, count, limit, who)

    def release(self, ids: Iterable[int]) -> None:
        """Gives claims back unfetched."""
        run = self._our_run().id
        with self._database.writing() as connection:
            claims.release(connection, ids, run)

    def settle(self, kept: Sequence[Kept], refused: Sequence[Refused]) -> dict[int, str]:
        """Takes pictures in and records refusals, all in one transaction, then moves the files.

        Returns for every kept claim the path of its picture below `root`, or "duplicate" when the same bytes are kept
        already. A claim that this process no longer holds is left out, and its file removed.
        """
        settling.check(kept)
        place = self._place(self._our_run().id, self._our_run().folder)
        if kept:
            settling.sync_folder(place.arrivals)
        with self._database.writing(durable=True) as connection:
            settled = settling.record(connection, place, kept, refused)
        settling.move(place, settled, self._outside.rename)
        self._sync({(self.root / path).parent for _, path in settled.moves})
        return settled.answers

    def dismiss(self, job: Job, limit: int) -> int:
        """Ends the job's waiting addresses as not needed if `limit` pictures are kept; returns how many."""
        who = claims.Claimant(self._our_run().id, self._now())
        with self._database.writing() as connection:
            return claims.dismiss(connection, job, limit, who)

    def begin_search(self, job: Job) -> bool:
        """Whether this process may search now; False while another one that is alive does."""
        self.folder_of(finding.checked(job).label)
        run = self._our_run().id
        self._bury_the_dead()
        with self._database.writing() as connection:
            finding.note(connection, job)
            return reading.began_search(connection, job, run, self._now())

    def end_search(self, job: Job, state: SearchState, detail: str = "", exhausted: bool = False) -> None:
        """Records what the search came to; `exhausted` when the engine has no more to give."""
        record = SearchRecord(job, state, finding.clean(detail), exhausted)
        run = self._our_run().id
        with self._database.writing() as connection:
            reading.end_search(connection, record, run, self._now())

    def searches(self) -> list[SearchRecord]:
        """How every search that has been made ended, in the order in which they were first asked for."""
        with self._database.reading() as connection:
            return reading.searches(connection)

    def jobs(self) -> list[Job]:
        """Every job that was ever begun, in that order."""
        with self._database.reading() as connection:
            return reading.jobs(connection)

    def counts(self) -> dict[Job, JobCounts]:
        """Where the addresses of each job stand; costs the same however many there are."""
        with self._database.reading() as connection:
            return reading.counts(connection)

    def thumbnails(self) -> dict[Job, int]:
        """How many kept pictures of each job came from a thumbnail's address; reads every kept row."""
        with self._database.reading() as connection:
            return reading.thumbnails(connection)

    def reopen(self, reasons: Collection[Reason], jobs: Iterable[Job]) -> int:
        """Lets addresses of these jobs that were refused for these reasons wait again; returns how many."""
        with self._database.writing() as connection:
            return reading.reopen(connection, reasons, jobs)

    def images(self) -> Iterator[ImageRow]:
        """Every picture, by path."""
        return (ImageRow(*row) for row in self._database.rows(reading.question("images", ImageRow, "path")))

    def sources(self) -> Iterator[SourceRow]:
        """Where every picture came from, in the order in which the addresses were found."""
        return (SourceRow(*row) for row in self._database.rows(reading.question("sources", SourceRow, "id")))

    def refusals(self) -> Iterator[RefusalRow]:
        """Every address that did not become a picture, and why."""
        return (RefusalRow(*row) for row in self._database.rows(reading.question("refusals", RefusalRow, "id")))

    def live_runs(self) -> list[RunRow]:
        """The processes that are at work on the dataset."""
        with self._database.reading() as connection:
            rows = reading.open_runs(connection)
        return [row for _, row in rows if runs.is_alive(self._incoming / row.id)]

    def unaccounted(self) -> list[Path]:
        """Files among the pictures and arrivals that no row knows; none after a crawl, however often it was killed."""
        with self._database.reading() as connection:
            known = reading.known_files(connection)
        folders = [self.root / PICTURES, self._incoming]
        files = sorted(file for folder in folders for file in folder.rglob("*") if not file.is_dir())
        return [file for file in files if file.relative_to(self.root).as_posix() not in known]

    def missing(self) -> list[str]:
        """Paths of pictures whose file is not there: somebody took it away."""
        return [row.path for row in self.images() if not (self.root / row.path).is_file()]

    def close(self) -> None:
        """Gives back what was claimed and lets go of the folder. May be called twice."""
        with self._starting:
            run, self._run = self._run, None
        self._sync(set(), now=True)
        try:
            if run is not None:
                with runs.letting_go(run):
                    self._end(run.folder, died=False)
        finally:
            self._database.close()

    @property
    def _incoming(self) -> Path:
        return self.root / INCOMING

    def _now(self) -> str:
        return self._outside.now().isoformat()

    def _place(self, run: int, arrivals: Path) -> settling.Place:
        return settling.Place(self.root, run, arrivals, self._now())

    def _our_run(self) -> runs.Run:
        with self._starting:
            if self._run is None:
                self._incoming.mkdir(exist_ok=True)
                with self._database.writing() as connection:
                    self._run = runs.begun(self._incoming, connection, self._outside.now())
            return self._run

    def _sync(self, folders: set[Path], now: bool = False) -> None:
        """Renames reach the disk within a second. A power cut before that leaves files where opening finds them."""
        with self._starting:
            self._unsynced |= folders
            if not now and time.monotonic() - self._synced < _LOOK:
                return
            folders, self._unsynced = self._unsynced, set()
            self._synced = time.monotonic()
        for folder in folders:
            settling.sync_folder(folder)

    def _bury_the_dead(self) -> None:
        """What runs left that ended without a word: claims wait again, committed pictures get to their place."""
        self._looked = time.monotonic()
        own = self._run
        with self._database.reading() as connection:
            open_runs = {row.id for _, row in reading.open_runs(connection)}
        for name in sorted(open_runs | runs.traces(self._incoming)):
            if own is None or name != own.name:
                with runs.dead(self._incoming / name) as is_dead:
                    if is_dead:
                        self._end(self._incoming / name, died=True)

    def _end(self, arrivals: Path, died: bool) -> None:
        """Closes a run: ours, or a dead one whose lock we hold."""
        with self._database.writing() as connection:
            place = self._place(reading.run_number(connection, arrivals.name), arrivals)
            claims.release_all(connection, place.run)
            settled = settling.left(connection, place)
        settling.move(place, settled, self._outside.rename)
        runs.buried(arrivals)
        with self._database.writing() as connection:
            reading.close_run(connection, place.run, place.now, died)

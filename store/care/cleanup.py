"""Cleanup: what no kept entry needs is removed, safely beside living writers.

What is to go is listed, the list is committed, and only then are files deleted. A writer that wrote one of them, and whose commit comes later,
sees the list and starts over; one whose commit came first moves the head, and the list is made anew. So no clock decides what is safe: a
wrong one costs a retry, or keeps more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...engine.errors import Invalid, WrongType
from ..folders import ballast
from ..folders.names import new_token
from ..ledger import as_of
from ..ledger.entry import begun
from ..ledger.start_over import undisturbed, until_done
from ..ports import Entry, Here, Moved, Work
from ..rows import sequence
from ..rows.log_cut import cut
from ..snapshots.stale_copies import put_stale_copies
from .needless_logs import needless_segments
from .reachable import HELD_UNDER, Reach, for_servers, kept_entries

_HOUR_US = 3_600_000_000
AT_ONCE = 5_000  # paths an entry: their list fits the room of the ballast


@dataclass(frozen=True, repr=False)
class Cleaned:
    """What a cleanup removed, or would remove: versions that end, files by folder, and why some were left."""

    versions: int  # that cannot be read any more
    oldest: int  # the version from which all can be read
    pinned: tuple[int, ...]  # older ones that tags and training sets hold
    files: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    young: int = 0  # files that nobody needs (yet), left as a writer may be at work on them
    clock: str = ""  # why ages were not used
    dry_run: bool = False

    def __repr__(self) -> str:
        what = ", ".join(f"{count:,} of {folder}" for folder, count in self.files.items()) or "no files"
        done = "would remove" if self.dry_run else "removed"
        left = f"; {self.young:,} young ones left" if self.young else ""
        return f"{done} {what} ({self.bytes / 1e6:.1f} MB), {self.versions:,} versions end, from {self.oldest} on all are kept{left}. {self.clock}".rstrip()


def cleaned(here: Here, keep_us: int, versions: int, *, dry_run: bool = False) -> Cleaned:
    """Remove what neither the newest `versions` nor entries younger than `keep_us` nor tags and training sets need."""
    if isinstance(versions, bool) or not isinstance(versions, int):
        raise WrongType(
            f"cleanup(versions={versions!r}): pass how many of the newest versions to keep, a whole number."
        )
    if versions < 1 or keep_us < 0:
        raise Invalid(f"cleanup(keep={keep_us} us, versions={versions}): at least the newest version is always kept.")
    if not here.ledger.head().number:
        return Cleaned(0, 1, (), dry_run=dry_run)  # nothing was ever stored: nothing is made by looking
    if dry_run:
        return until_done(lambda: _attempt(here, keep_us, versions, dry_run=True), "the store")
    ballast.released_if_full(here.folder)
    done = until_done(lambda: _attempt(here, keep_us, versions, dry_run=False), "the store")
    ballast.kept(here.folder)
    return done


def _attempt(here: Here, keep_us: int, versions: int, *, dry_run: bool) -> Cleaned:
    plan = _Plan(here, keep_us, versions)
    head = here.ledger.head()
    report = plan.made(head)
    if dry_run:
        oldest = report.oldest if plan.doomed else head.oldest
        return replace(_told(report, _segments(here, head, oldest)), dry_run=True)
    here.folder.sweep()
    put_stale_copies(here)
    parts = []
    while plan.doomed:
        work = begun("cleanup", f"cleanup of {len(plan.doomed):,} files")
        head = here.ledger.commit(head, work, plan.change(work))
        here.folder.delete(sorted(plan.doomed))
        parts.append(plan.report)
        plan.went()
        if plan.more:
            plan.made(head)
    done = _joined(parts) if parts else report
    put_stale_copies(here)  # a server that loads anew begins where the log does
    return _without_logs(done, here, here.ledger.vouch(head))


def _without_logs(report: Cleaned, here: Here, head: Entry) -> Cleaned:
    """The report with the segments of logs that were cut off, as no version that the head keeps needs them."""
    segments = _segments(here, head, head.oldest)
    for segment in segments:
        cut(segment)
    return _told(report, segments)


def _segments(here: Here, head: Entry, oldest: int) -> dict[Path, int]:
    with undisturbed(here.ledger, head):
        return {segment: segment.stat().st_size for segment in needless_segments(here, head, oldest)}


def _told(report: Cleaned, segments: Mapping[Path, int]) -> Cleaned:
    files = {**report.files, **({"log": len(segments)} if segments else {})}
    return replace(report, files=files, bytes=report.bytes + sum(segments.values()))


def _joined(parts: Sequence[Cleaned]) -> Cleaned:
    files: Counter[str] = Counter()
    for part in parts:
        files.update(part.files)
    return replace(parts[0], files=files, bytes=sum(part.bytes for part in parts))


class _Plan:
    """What is to go, made anew for each head."""

    def __init__(self, here: Here, keep_us: int, versions: int) -> None:
        self._here, self._keep_us, self._versions = here, keep_us, versions
        self._listed = dict(_unused_long(here, min(keep_us, _HOUR_US)))
        self.doomed: dict[str, int] = {}
        self.more = False  # than are removed at once

    def made(self, head: Entry) -> Cleaned:
        """The report for a head; the files are in `doomed` then."""
        clock = _clock_trouble(head) if self._keep_us else ""
        oldest = head.oldest if clock else self._oldest(head)
        with undisturbed(self._here.ledger, head):
            needed = Reach(self._here, head).of(kept_entries(self._here, head, oldest))
        unused = {path: size for path, (size, _) in self._listed.items() if path not in needed}
        old = [path for path in unused if not self._listed[path][1]]
        self.doomed, self.more = {path: unused[path] for path in old[:AT_ONCE]}, len(old) > AT_ONCE
        pinned = sorted(number for number in as_of.pinned(self._here.folder, head) if number < oldest)
        ending = len(set(range(head.oldest, oldest)) - set(pinned))
        files = Counter(path.partition("/")[0] for path in self.doomed)
        young = sum(self._listed[path][1] for path in unused)
        self.report = Cleaned(ending, oldest, tuple(pinned), files, sum(self.doomed.values()), young, clock)
        return self.report

    def went(self) -> None:
        """What was doomed is gone. The entry that said so does not count among the newest."""
        self._listed = {path: facts for path, facts in self._listed.items() if path not in self.doomed}
        self.doomed = {}
        self._versions += 1

    def change(self, work: Work) -> Callable[[Entry], Moved]:
        """The commit of a list of what goes."""

        def moved(head: Entry) -> Moved:
            report = self.made(head)
            note = self._here.notes.put(work.token, {"kind": "removed", "paths": sorted(self.doomed)})
            return Moved({}, removed=note, oldest=report.oldest)

        return moved

    def _oldest(self, head: Entry) -> int:
        """The first entry that is among the newest, or young by the clock of the newest entry; ages rise with the numbers."""
        low, high = head.oldest, max(head.oldest, head.number - self._versions + 1)
        while low < high:
            middle = (low + high) // 2
            if self._here.ledger.entry(middle).at >= head.at - self._keep_us:
                high = middle
            else:
                low = middle + 1
        return low


def _unused_long(here: Here, grace_us: int) -> Iterator[tuple[str, tuple[int, bool]]]:
    """For each file that cleanup may remove its bytes, and whether it is young by the clock that files are dated by."""
    probe = f"notes/probe.{new_token()}"
    if grace_us:
        here.folder.put_new(probe, b"")
    listed = [one for folder in HELD_UNDER for one in here.folder.listed(folder) if not for_servers(one[0])]
    now = next((changed for path, _, changed in listed if path == probe), 0)
    here.folder.delete([probe])
    for path, size, changed in listed:
        if path != probe:
            yield path, (size, bool(grace_us) and changed > now - grace_us)


def _clock_trouble(head: Entry) -> str:
    ahead = head.at - sequence.now_us()
    if ahead <= _HOUR_US:
        return ""
    return (
        f"The newest version says it was made {ahead / _HOUR_US:.1f} h from now: one clock is wrong, so no version was ended for its age. "
        "Set the clock, or say keep='0s' to go by versions= alone."
    )

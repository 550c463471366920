"""One lane for each peer: a slow or hostile one holds up nobody but itself."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

Job = Callable[[], object]
Begin = Callable[[Mapping[str, Job]], int]


class Lanes:
    """Runs at most one job of a peer at a time, and so many in all; nobody waits for them."""

    def __init__(self, name: str, workers: int) -> None:
        self._workers = ThreadPoolExecutor(workers, name)
        self._under_way: dict[str, Future[object]] = {}
        self._turn = Lock()

    def begin(self, jobs: Mapping[str, Job]) -> int:
        """Begin the jobs of peers of whom none is under way; gives how many.

        What an earlier job raised, beyond what is expected of peers, is raised here.
        """
        with self._turn:
            ended = {org: job for org, job in self._under_way.items() if job.done()}
            for org in ended:
                del self._under_way[org]
            fresh = {org: job for org, job in jobs.items() if org not in self._under_way}
            for org, job in fresh.items():
                self._under_way[org] = self._workers.submit(job)
        for done in ended.values():
            done.result()
        return len(fresh)

    def close(self) -> None:
        """Begin nothing any more; what is under way is left to end by itself."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def one_by_one(jobs: Mapping[str, Job]) -> int:
    """Run the jobs here and now; gives how many."""
    for job in jobs.values():
        job()
    return len(jobs)

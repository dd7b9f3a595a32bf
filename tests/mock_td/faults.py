"""Let jobs fail as a test says: which, how often, and with which message."""

from dataclasses import dataclass


@dataclass
class Fault:
    """What will happen to jobs: the first `after` that it fits pass, then it strikes `times` of them.

    fits     a function of a Job; its window, seconds, try_number and data_source tell loads apart
    message  what the failed job's log shows; None: the job does not fail
    times    None: all
    takes    seconds that a job which is struck takes on TD's clock
    """

    fits: object
    message: str | None = None
    times: int | None = None
    after: int = 0
    takes: float = 0

    def strikes(self, job):
        """Whether it strikes this job, of which it keeps count; to be asked once a job."""
        if not self.fits(job):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0

"""Tell a time that tests can put forward, for what takes hours or days at Treasure Data."""

import time


class Clock:
    """Runs as the machine's clock does, `ahead` of it by so many seconds, which may change at any time."""

    def __init__(self, ahead=0.0):
        self.ahead = ahead

    def now(self):
        """Unix seconds, with a fraction."""
        return time.time() + self.ahead

    def advance(self, seconds):
        self.ahead += seconds

    def advance_to(self, moment):
        """Puts the clock forward to Unix seconds; a moment that has passed changes nothing."""
        self.ahead = max(self.ahead, moment - time.time())

"""Errors by billiard's names, but for one that another version has not."""


class TimeLimitExceeded(Exception):
    pass


class SoftTimeLimitExceeded(Exception):
    def __str__(self):
        return "SoftTimeLimitExceeded%s" % (self.args,)


class WorkerLostError(Exception):
    pass

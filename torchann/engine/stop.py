"""What a callback raises to end training at once."""


class StopTraining(Exception):
    """Ends training at this step; :meth:`torchann.Trainer.fit` catches it, says why and returns.

    Args:
        reason: in a word: ``"interrupt"``, ``"nan"``; becomes ``trainer.stopped_by``.
        message: what to tell the user.

    Example:
        >>> StopTraining("nan", "the loss of step 7 is nan").reason
        'nan'
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

"""What others read of this room."""

from experiments.selectors.reading import ReadOut, lift_over_time, read_out

__all__ = ["ReadOut", "lift_over_time", "read_out"]

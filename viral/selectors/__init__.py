"""Every read of this room that others may use."""

from viral.selectors.growth import Coefficient, Step, Week, coefficient

__all__ = ["Coefficient", "Step", "Week", "coefficient"]

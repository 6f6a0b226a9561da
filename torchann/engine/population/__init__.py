"""Many networks at once, each as if it were trained alone."""

from torchann.engine.population.member import Member
from torchann.engine.population.population import Population
from torchann.engine.population.settings import Settings
from torchann.engine.population.workers import Workers
from torchann.engine.rows.row_orders import RandomStateOrder, RowOrder, SeededOrder
from torchann.engine.rows.shared_rows import SharedRows

__all__ = ["Member", "Population", "RandomStateOrder", "RowOrder", "SeededOrder", "Settings", "SharedRows", "Workers"]

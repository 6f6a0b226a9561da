"""Many networks at once, each as if it were trained alone."""

from torchann.engine.population.member import Member
from torchann.engine.population.population import Population
from torchann.engine.population.row_orders import RandomStateOrder, RowOrder, SeededOrder
from torchann.engine.population.settings import Settings
from torchann.engine.population.table import Table
from torchann.engine.population.workers import Workers

__all__ = ["Member", "Population", "RandomStateOrder", "RowOrder", "SeededOrder", "Settings", "Table", "Workers"]

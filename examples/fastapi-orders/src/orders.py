"""What an order is, and the book that they are kept in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

ORDERS_MAX = 1000

Price = Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=2)]


class Strict(BaseModel):
    """Members that nobody knows are mistakes of the caller, and are said."""

    model_config = ConfigDict(extra="forbid")


class Catalogue(Strict):
    currency: str
    items: dict[str, Price]


class Line(Strict):
    item: Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,39}$")]
    count: Annotated[int, Field(ge=1, le=100)]


class NewOrder(Strict):
    customer: Annotated[str, Field(min_length=1, max_length=100)]
    pick_up: date
    lines: Annotated[list[Line], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def items_are_named_once(self) -> NewOrder:
        names = [line.item for line in self.lines]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"{repeated[0]} is in two lines: add up their counts")
        return self


class Order(NewOrder):
    id: int
    total: Price
    currency: str


class OrderBook:
    """Orders in memory. Nothing here waits, so calls that run at once cannot interleave inside."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._orders: dict[int, Order] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def take(self, order: NewOrder) -> Order | None:
        """None when `ORDERS_MAX` are kept already."""
        if len(self._orders) >= ORDERS_MAX:
            return None
        prices = self.catalogue.items
        total = sum((prices[line.item] * line.count for line in order.lines), Decimal(0))
        taken = Order(
            id=len(self._orders) + 1,
            total=total,
            currency=self.catalogue.currency,
            **order.model_dump(),
        )
        self._orders[taken.id] = taken
        return taken

    def get(self, order_id: int) -> Order | None:
        return self._orders.get(order_id)

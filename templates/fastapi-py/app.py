"""A FastAPI application (ASGI): what comes in is checked by its types, /docs shows it."""

from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, Field

app = FastAPI(title="Orders")


class Item(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    cents: Annotated[int, Field(ge=0)]
    count: Annotated[int, Field(ge=1)] = 1


class Order(BaseModel):
    items: Annotated[list[Item], Field(min_length=1, max_length=100)]


class Total(BaseModel):
    items: int
    cents: int


@app.get("/")
async def index() -> dict[str, str]:
    return {"try": 'POST /orders with {"items": [{"name": "tea", "cents": 250}]}'}


@app.post("/orders", status_code=201)
async def price(order: Order) -> Total:
    cents = sum(item.cents * item.count for item in order.items)
    return Total(items=len(order.items), cents=cents)

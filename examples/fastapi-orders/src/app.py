"""Takes orders of a bakery: checks them, prices them, and keeps them while the sandbox lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi import Path as InPath
from orders import Catalogue, NewOrder, Order, OrderBook

OrderId = Annotated[int, InPath(ge=1, le=10**9)]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Runs once per sandbox: before its first call, and when it ends."""
    text = (Path(__file__).parent / "catalogue.json").read_text("utf-8")
    catalogue = Catalogue.model_validate_json(text)
    app.state.book = OrderBook(catalogue)
    print(f"{len(catalogue.items)} items are sold")
    yield
    print(f"{len(app.state.book)} orders end with this sandbox")


app = FastAPI(title="Orders", version="1.0.0", lifespan=lifespan)


def book_of(request: Request) -> OrderBook:
    return request.app.state.book


@app.get("/catalogue")
async def catalogue(request: Request) -> Catalogue:
    return book_of(request).catalogue


@app.post("/orders", status_code=201)
async def take(order: NewOrder, request: Request, response: Response) -> Order:
    book = book_of(request)
    unknown = [line.item for line in order.lines if line.item not in book.catalogue.items]
    if unknown:
        raise HTTPException(422, f"not sold: {', '.join(unknown)}")
    taken = book.take(order)
    if taken is None:
        raise HTTPException(507, "no room for another order")
    response.headers["location"] = f"/orders/{taken.id}"
    return taken


@app.get("/orders/{order_id}")
async def show(order_id: OrderId, request: Request) -> Order:
    order = book_of(request).get(order_id)
    if order is None:
        raise HTTPException(404, f"no order {order_id}")
    return order

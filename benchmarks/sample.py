"""Made-up but realistic traffic for benchmarks: seeded, shaped like what a shop's SDK sends."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

NAMES = ["page_viewed", "product_viewed", "product_added", "checkout_started", "order_completed"]
WEIGHTS = [50, 30, 12, 5, 3]


def events(count: int, people: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Segment `track` calls of `people` known contacts over the last hour."""
    draw = random.Random(seed)
    start = datetime.now(UTC) - timedelta(hours=1)
    for index in range(count):
        moment = start + timedelta(seconds=3600 * index / count)
        name = draw.choices(NAMES, WEIGHTS)[0]
        yield {
            "type": "track",
            "messageId": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            "userId": f"user-{draw.randrange(people)}",
            "event": name,
            "timestamp": moment.isoformat(timespec="milliseconds"),
            "properties": {
                "sku": f"SKU-{draw.randrange(2000)}",
                "category": draw.choice(["home", "garden", "kitchen", "gifts"]),
                "price": draw.randrange(100, 9900) / 100,
                "quantity": draw.randrange(1, 5),
            }
            | ({"total": draw.randrange(1000, 20000) / 100, "currency": "GBP"} if name == "order_completed" else {}),
            "context": {
                "library": {"name": "bench", "version": "1"},
                "page": {"path": "/shop", "url": "https://shop.example/shop"},
            },
        }


def batches(count: int, size: int, people: int, write_key: str, seed: int = 7) -> list[bytes]:
    """Bodies of `POST /v1/batch` with `size` events each."""
    source = events(count * size, people, seed)
    return [
        msgspec.json.encode(
            {
                "batch": [next(source) for _ in range(size)],
                "writeKey": write_key,
                "sentAt": datetime.now(UTC).isoformat(),
            }
        )
        for _ in range(count)
    ]

"""How many customers of the corner shop each segment holds, counted row by row from the files with nothing but Python.

    python counts.py            prints one line per segment: name count
    python counts.py --check    compares with the fixed counts in the .slt files beside it, exit code 1 if one differs

Times in the files are local and have no zone, and no interval below crosses a change of the clocks within an hour that
anybody ordered in, so they are compared as they stand.
"""

import csv
import gzip
import pathlib
import re
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE.parent.parent / "datasets" / "corner-shop" / "files"
NOW = datetime(2025, 6, 30, 12)


def rows(table):
    path = FILES / f"{table}.csv"
    with path.open(newline="") if path.exists() else gzip.open(f"{path}.gz", "rt", newline="") as file:
        yield from csv.DictReader(file)


def at(text):
    return datetime.fromisoformat(text)


def since(days):
    return NOW - timedelta(days=days)


CUSTOMERS = {row["customer_id"]: row for row in rows("customers")}
CATEGORY = {row["product_id"]: row["category"] for row in rows("products")}
ORDERS = defaultdict(list)
for row in rows("orders"):
    ORDERS[row["customer_id"]].append(row | {"at": at(row["placed_at"]), "total": Decimal(row["total"])})
BOUGHT = defaultdict(set)  # order → categories
for row in rows("order_lines"):
    BOUGHT[row["order_id"]].add(CATEGORY[row["product_id"]])
CARTS = defaultdict(list)
for row in rows("carts"):
    CARTS[row["customer_id"]].append(row)
VISITS = defaultdict(list)
for row in rows("web_visits"):
    VISITS[row["customer_id"]].append(at(row["visited_at"]))


def kept(order):
    return order["status"] not in ("cancelled", "returned")


def categories(customer):
    return set().union(*(BOUGHT[order["order_id"]] for order in ORDERS[customer]))


def lapsed(customer):
    orders = ORDERS[customer]
    return len(orders) >= 2 and max(order["at"] for order in orders) < since(180)


def is_open_cart(cart):
    return cart["status"] == "open" and since(7) <= at(cart["updated_at"]) < NOW - timedelta(minutes=60)


def frequent_returner(customer):
    orders = ORDERS[customer]
    return len(orders) >= 3 and sum(order["status"] == "returned" for order in orders) * 3 > len(orders)


def spent(customer, counts=lambda order: True):
    return sum(order["total"] for order in ORDERS[customer] if order["at"] >= since(365) and counts(order))


def top_hundred():
    buyers = [customer for customer in CUSTOMERS if any(order["at"] >= since(365) for order in ORDERS[customer])]
    return set(sorted(buyers, key=lambda customer: (-spent(customer), customer))[:100])


TOP = top_hundred()
SEGMENTS = {
    "big_spenders": lambda c: spent(c, kept) >= 2500,
    "buyers": lambda c: any(kept(order) for order in ORDERS[c]),
    "frequent_returners": frequent_returner,
    "lapsed": lapsed,
    "lapsed_vips": lambda c: lapsed(c) and CUSTOMERS[c]["tier"] in ("gold", "platinum"),
    "looking_around": lambda c: any(visit >= since(14) for visit in VISITS[c])
    and not any(order["at"] >= since(14) for order in ORDERS[c]),
    "new_customers": lambda c: bool(ORDERS[c]) and min(order["at"] for order in ORDERS[c]) >= since(30),
    "open_carts": lambda c: any(is_open_cart(cart) for cart in CARTS[c]),
    "prospects": lambda c: not ORDERS[c],
    "sofa_without_cushions": lambda c: "Sofas" in categories(c) and "Cushions" not in categories(c),
    "store_and_web": lambda c: "store" in (channels := {order["channel"] for order in ORDERS[c]})
    and bool(channels & {"web", "app"}),
    "top_hundred": lambda c: c in TOP,
}


def fixed_count(segment):
    """The number under the record that counts the segment's profiles and nothing else."""
    text = (HERE / f"{segment}.slt").read_text()
    found = re.search(rf"SELECT count\(\*\) FROM profiles WHERE segments\.{segment}\n----\n(\d+)\n", text)
    return int(found.group(1)) if found else None


def main():
    differing = 0
    for segment, holds in SEGMENTS.items():
        count = sum(holds(customer) for customer in CUSTOMERS)
        fixed = fixed_count(segment)
        print(segment, count)
        if "--check" in sys.argv and fixed != count:
            differing += 1
            print(f"{segment}.slt says {fixed}", file=sys.stderr)
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Which customers of the corner shop each segment holds, and what each variable is of them, found row by row from the files
with nothing but Python.

    python counts.py            prints one line per segment: its name, how many they are, and the sum of their numbers;
                                and one per variable: its name, how many have it, and their sum, or how many have which
    python counts.py --check    compares with what the .slt files beside it say, exit code 1 if one differs

Times in the files are local and have no zone, and no interval below crosses a change of the clocks within an hour that
anybody ordered in, so they are compared as they stand.
"""

import csv
import gzip
import hashlib
import pathlib
import re
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median

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
TOWN_OF_STORE = {row["store_id"]: row["city"] for row in rows("stores")}
ORDERS = defaultdict(list)
for row in rows("orders"):
    ORDERS[row["customer_id"]].append(row | {"at": at(row["placed_at"]), "total": Decimal(row["total"])})
for of_one in ORDERS.values():
    of_one.sort(key=lambda order: (order["at"], order["order_id"]))
LINES = defaultdict(list)  # order → its lines
BOUGHT = defaultdict(set)  # order → categories
for row in rows("order_lines"):
    LINES[row["order_id"]].append(row)
    BOUGHT[row["order_id"]].add(CATEGORY[row["product_id"]])
CARTS = defaultdict(list)
for row in rows("carts"):
    CARTS[row["customer_id"]].append(row)
IN_CART = defaultdict(Decimal)  # cart → its worth
for row in rows("cart_lines"):
    IN_CART[row["cart_id"]] += int(row["quantity"]) * Decimal(row["price"])
VISITS = defaultdict(list)
for row in rows("web_visits"):
    VISITS[row["customer_id"]].append(row | {"at": at(row["visited_at"])})
for of_one in VISITS.values():
    of_one.sort(key=lambda visit: (visit["at"], visit["visit_id"]))


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


def between(customer, first, last):
    return [order for order in ORDERS[customer] if first <= order["at"] < last]


def years_ago(years):
    return NOW.replace(year=NOW.year - years)


def came_back(customer):
    times = [order["at"] for order in ORDERS[customer]]
    silence = timedelta(days=180)
    return any(
        now >= since(60) and before and now - max(before) > silence
        for now in times
        if (before := [time for time in times if time < now]) is not None
    )


def slips_away(customer):
    days = [order["at"].date() for order in ORDERS[customer]]
    if len(days) < 4:
        return False
    return (NOW.date() - days[-1]).days * (len(days) - 1) > 2 * (days[-1] - days[0]).days


def days_to_birthday(customer):
    text = CUSTOMERS[customer]["birth_date"]
    if text in ("", "1900-01-01"):
        return None
    born = date.fromisoformat(text)
    days = (born.replace(year=year) for year in (NOW.year, NOW.year + 1) if (born.month, born.day) != (2, 29))
    return next(((day - NOW.date()).days for day in days if day >= NOW.date()), None)


def spends_more(customer):
    halves = [
        [order["total"] for order in between(customer, since(first), since(last)) if kept(order)]
        for first, last in ((182, -1), (364, 182))
    ]
    return all(halves) and sum(halves[0]) > sum(halves[1])


def spent_on_sofas(customer):
    lines = [line for order in ORDERS[customer] if kept(order) for line in LINES[order["order_id"]]]
    return sum(int(l["quantity"]) * Decimal(l["price"]) for l in lines if CATEGORY[l["product_id"]] == "Sofas")


def delivered_in_two_years(customer):
    orders = between(customer, since(730), since(-1))
    return sum(order["total"] for order in orders if order["status"] == "delivered")


def sofa_then_cushions(customer):
    times = {name: [o["at"] for o in ORDERS[customer] if name in BOUGHT[o["order_id"]]] for name in ("Sofas", "Cushions")}
    return any(sofa < then <= sofa + timedelta(days=30) for sofa in times["Sofas"] for then in times["Cushions"])


def orders_for_the_garden(customer):
    return sum(bool(BOUGHT[order["order_id"]] & {"Garden", "Garden accessories"}) for order in ORDERS[customer])


def most_orders_of_a_product(customer):
    orders = Counter(p for o in ORDERS[customer] for p in {line["product_id"] for line in LINES[o["order_id"]]})
    return max(orders.values(), default=0)


def left_a_cart(customer):
    return any(
        cart["status"] != "ordered" and not any(order["at"] > at(cart["updated_at"]) for order in ORDERS[customer])
        for cart in CARTS[customer]
    )


def last_seen_at_a_product(customer):
    visits, orders = VISITS[customer], ORDERS[customer]
    if not visits or visits[-1]["page_type"] != "product":
        return False
    return not (orders and orders[-1]["at"] > visits[-1]["at"])


def most_visits_of_a_category(customer):
    seen = Counter(visit["category"] for visit in VISITS[customer] if visit["at"] >= since(30) and visit["category"])
    return max(seen.values(), default=0)


def waits(customer, is_due):
    orders = [order for order in ORDERS[customer] if order["status"] in ("open", "shipped")]
    return any(is_due(at(order["expected_at"])) for order in orders)


def by_email(customer):
    return CUSTOMERS[customer]["email_consent"] == "J" and CUSTOMERS[customer]["email"] != ""


def by_text(customer):
    return CUSTOMERS[customer]["sms_consent"] == "J" and CUSTOMERS[customer]["mobile"] != ""


def shops_elsewhere(customer):
    stores = [order["store_id"] for order in ORDERS[customer] if order["store_id"]]
    return sum(store != CUSTOMERS[customer]["home_store"] for store in stores) * 2 > len(stores)


def was_a_big_spender(customer):
    then = years_ago(1)
    orders = [order for order in between(customer, then - timedelta(days=365), then) if kept(order)]
    return at(CUSTOMERS[customer]["created_at"]) <= then and sum(order["total"] for order in orders) >= 2500


def drawn(customer, buckets, seed):
    digest = hashlib.sha256(seed.encode() + b"\0" + customer.encode()).digest()
    return int.from_bytes(digest[:8], "big") % buckets


def most_frequent(values):
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value), default=None)


def is_odd(address):
    return address != "" and not re.fullmatch(r"[^@ ]+@[^@ ]+\.[^@ ]*[^@ .]", address)


TOP = top_hundred()
ACCOUNTS_BY_EMAIL = Counter(customer["email"] for customer in CUSTOMERS.values())
FIRST_OF_HOUSEHOLD = {CUSTOMERS[c]["household_id"]: c for c in sorted(CUSTOMERS, reverse=True)}
PILOT = set(sorted(CUSTOMERS, key=lambda customer: (drawn(customer, 10**9, "pilot"), customer))[:500])
SEGMENTS = {
    "big_spenders": lambda c: spent(c, kept) >= 2500,
    "buyers": lambda c: any(kept(order) for order in ORDERS[c]),
    "frequent_returners": frequent_returner,
    "lapsed": lapsed,
    "lapsed_vips": lambda c: lapsed(c) and CUSTOMERS[c]["tier"] in ("gold", "platinum"),
    "looking_around": lambda c: any(visit["at"] >= since(14) for visit in VISITS[c])
    and not any(order["at"] >= since(14) for order in ORDERS[c]),
    "new_customers": lambda c: bool(ORDERS[c]) and min(order["at"] for order in ORDERS[c]) >= since(30),
    "open_carts": lambda c: any(is_open_cart(cart) for cart in CARTS[c]),
    "prospects": lambda c: not ORDERS[c],
    "sofa_without_cushions": lambda c: "Sofas" in categories(c) and "Cushions" not in categories(c),
    "store_and_web": lambda c: "store" in (channels := {order["channel"] for order in ORDERS[c]})
    and bool(channels & {"web", "app"}),
    "top_hundred": lambda c: c in TOP,
    "second_order_due": lambda c: len(ORDERS[c]) == 1 and since(90) <= ORDERS[c][0]["at"] < since(30),
    "reactivated": came_back,
    "slipping_away": slips_away,
    "every_year": lambda c: all(between(c, years_ago(n), years_ago(n - 1)) for n in (1, 2, 3)),
    "birthday_next_week": lambda c: days_to_birthday(c) in range(1, 8),
    "signed_up_this_month": lambda c: at(CUSTOMERS[c]["created_at"]) >= datetime(2025, 6, 1),
    "rising_spenders": spends_more,
    "sofa_spenders": lambda c: spent_on_sofas(c) > 1000,
    "bargain_hunters": lambda c: len(ORDERS[c]) >= 3
    and sum(Decimal(order["discount"]) > 0 for order in ORDERS[c]) * 2 >= len(ORDERS[c]),
    "one_large_order": lambda c: any(order["total"] >= 5000 for order in ORDERS[c]),
    "steady_spenders": lambda c: len(ORDERS[c]) >= 10 and median(order["total"] for order in ORDERS[c]) >= 400,
    "nearly_platinum": lambda c: CUSTOMERS[c]["tier"] == "gold" and delivered_in_two_years(c) >= 8000,
    "bed_without_mattress": lambda c: "Beds" in categories(c) and "Mattresses" not in categories(c),
    "cushions_after_sofa": sofa_then_cushions,
    "whole_rooms": lambda c: any(len(BOUGHT[order["order_id"]]) >= 5 for order in ORDERS[c]),
    "gardeners": lambda c: orders_for_the_garden(c) >= 2,
    "bought_again": lambda c: most_orders_of_a_product(c) >= 2,
    "dreaming_of_sofas": lambda c: "sofas" in CUSTOMERS[c]["interests"].split(";") and "Sofas" not in categories(c),
    "cart_not_ordered": left_a_cart,
    "valuable_carts": lambda c: any(k["status"] != "ordered" and IN_CART[k["cart_id"]] >= 1000 for k in CARTS[c]),
    "collectors": lambda c: len(CARTS[c]) >= 2 and all(cart["status"] != "ordered" for cart in CARTS[c]),
    "last_seen_at_a_product": last_seen_at_a_product,
    "comparing": lambda c: most_visits_of_a_category(c) >= 3,
    "waiting_long": lambda c: waits(c, lambda due: due >= since(-7)),
    "delivery_due": lambda c: waits(c, lambda due: due < since(-2)),
    "bad_start": lambda c: bool(ORDERS[c]) and ORDERS[c][0]["status"] == "returned",
    "recent_return": lambda c: any(order["status"] == "returned" for order in ORDERS[c][-3:]),
    "mailable": by_email,
    "only_by_text": lambda c: by_text(c) and not by_email(c),
    "never_asked": lambda c: CUSTOMERS[c]["email_consent"] == "" and any(kept(order) for order in ORDERS[c]),
    "in_town": lambda c: CUSTOMERS[c]["city"] == TOWN_OF_STORE[CUSTOMERS[c]["home_store"]],
    "store_shoppers": shops_elsewhere,
    "unreachable": lambda c: CUSTOMERS[c]["email"] == "" and CUSTOMERS[c]["mobile"] == "",
    "without_birth_date": lambda c: CUSTOMERS[c]["birth_date"] in ("", "1900-01-01") and any(map(kept, ORDERS[c])),
    "doubles": lambda c: CUSTOMERS[c]["email"] != "" and ACCOUNTS_BY_EMAIL[CUSTOMERS[c]["email"]] > 1,
    "one_per_household": lambda c: c == FIRST_OF_HOUSEHOLD[CUSTOMERS[c]["household_id"]],
    "pilot_500": lambda c: c in PILOT,
    "lost_big_spenders": lambda c: was_a_big_spender(c) and not spent(c, kept) >= 2500,
    "odd_addresses": lambda c: is_odd(CUSTOMERS[c]["email"]),
}


VARIABLES = {
    "spent_last_year": lambda c: spent(c, kept) or None,
    "usual_order": lambda c: median(order["total"] for order in ORDERS[c]) if ORDERS[c] else None,
    "days_since_order": lambda c: (NOW.date() - ORDERS[c][-1]["at"].date()).days if ORDERS[c] else None,
    "orders_last_year": lambda c: len(between(c, since(365), since(-1))),
    "favourite_category": lambda c: most_frequent(
        CATEGORY[line["product_id"]] for order in ORDERS[c] for line in LINES[order["order_id"]]
    ),
    "usual_channel": lambda c: most_frequent(order["channel"] for order in ORDERS[c]),
}
ADDED_UP = r"SELECT count\({0}\), sum\({0}\) FROM profiles\n----\n(.+)\n"
TOLD_APART = r"SELECT {0}, count\(\*\) FROM profiles GROUP BY {0} ORDER BY {0}\n----\n((?:.+\n)+)"
COUNTED = r"SELECT count\(\*\), sum\(CAST\(substr\(customer_id, 2\) AS BIGINT\)\) FROM profiles WHERE segments\.{}\n----\n(\d+) (\d+)\n"


def fixed(segment):
    """What is said under the record that counts the segment's profiles and adds up their numbers, and nothing else."""
    path = HERE / f"{segment}.slt"
    found = re.search(COUNTED.format(segment), path.read_text()) if path.exists() else None
    return (int(found.group(1)), int(found.group(2))) if found else None


def values(variable):
    """What the variable's check must say of all customers: how many have it and their sum; of texts how many have which."""
    found = [VARIABLES[variable](customer) for customer in CUSTOMERS]
    there = [value for value in found if value is not None]
    if not isinstance(there[0], str):
        return f"{len(there)} {sum(there)}"
    counts = sorted(Counter(there).items()) + [("NULL", found.count(None))]
    return "\n".join(f"{value} {count}" for value, count in counts if count)


def same(said, counted):
    """Whether they say the same; decimals may be written with more zeros."""
    return said is not None and [plain(word) for word in said.split()] == [plain(word) for word in counted.split()]


def plain(word):
    return Decimal(word) if re.fullmatch(r"\d+(\.\d+)?", word) else word


def fixed_values(variable):
    path = HERE / f"{variable}.slt"
    text = path.read_text() if path.exists() else ""
    found = re.search(ADDED_UP.format(variable), text) or re.search(TOLD_APART.format(variable), text)
    return found and found.group(1).rstrip()


def main():
    differing = 0
    for variable in VARIABLES:
        print(variable, values(variable).replace("\n", ", "))
        if "--check" in sys.argv and not same(fixed_values(variable), values(variable)):
            differing += 1
            print(f"{variable}.slt says {fixed_values(variable)}", file=sys.stderr)
    for segment, holds in SEGMENTS.items():
        members = [customer for customer in CUSTOMERS if holds(customer)]
        found = len(members), sum(int(customer[1:]) for customer in members)
        print(segment, *found)
        if "--check" in sys.argv and fixed(segment) != found:
            differing += 1
            print(f"{segment}.slt says {fixed(segment)}", file=sys.stderr)
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())

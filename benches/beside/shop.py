"""The demo shop's tables as the peers are told of them; what is not listed is text."""

# Column types in SQL.
TYPES = {
    "customers": {"created_at": "TIMESTAMP", "birth_date": "DATE", "income": "DECIMAL(12,2)", "latitude": "DOUBLE",
                  "longitude": "DOUBLE", "updated_at": "TIMESTAMP"},
    "products": {"price": "DECIMAL(12,2)", "cost": "DECIMAL(12,2)", "in_stock": "BIGINT"},
    "stores": {"latitude": "DOUBLE", "longitude": "DOUBLE"},
    "orders": {"placed_at": "TIMESTAMP", "expected_at": "TIMESTAMP", "total": "DECIMAL(12,2)", "discount": "DECIMAL(12,2)",
               "updated_at": "TIMESTAMP"},
    "order_lines": {"quantity": "BIGINT", "price": "DECIMAL(12,2)"},
    "carts": {"created_at": "TIMESTAMP", "updated_at": "TIMESTAMP"},
    "cart_lines": {"quantity": "BIGINT", "price": "DECIMAL(12,2)"},
    "web_visits": {"visited_at": "TIMESTAMP", "seconds": "BIGINT"},
    "messages": {"sent_at": "TIMESTAMP", "links": "BIGINT"},
    "responses": {"responded_at": "TIMESTAMP"},
}

# What identifies a row.
KEYS = {
    "customers": ["customer_id"],
    "products": ["product_id"],
    "stores": ["store_id"],
    "orders": ["order_id"],
    "order_lines": ["line_id"],
    "carts": ["cart_id"],
    "cart_lines": ["cart_id", "product_id"],
    "web_visits": ["visit_id"],
    "messages": ["message_id"],
    "responses": ["response_id"],
}

# Rows below their customer, in time; a line below its order, a response below its message.
ORDER = {
    "orders": ["customer_id", "placed_at", "order_id"],
    "carts": ["customer_id", "created_at", "cart_id"],
    "web_visits": ["customer_id", "visited_at", "visit_id"],
    "messages": ["customer_id", "sent_at", "message_id"],
    "order_lines": ["order_id", "line_id"],
    "cart_lines": ["cart_id", "product_id"],
    "responses": ["message_id", "responded_at", "response_id"],
}

# Where the shop means another thing than it writes, and muster says what it means.
ANSWERS = {"email_consent", "sms_consent", "deleted"}  # J and N
SETS = {"interests"}  # words between semicolons
PLACEHOLDERS = {"birth_date": "DATE '1900-01-01'"}
ZONE = "Europe/Amsterdam"

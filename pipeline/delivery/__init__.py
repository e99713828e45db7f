"""Delivery: outbox, envelope, egress check, SMTP; the only room with a network. To come; the room is kept."""

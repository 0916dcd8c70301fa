"""The embedded tokenizer's files, and chat templates as trainers render them."""

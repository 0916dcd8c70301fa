"""Counting in tokens: loading a tokenizer, exact counts and cuts, chats as trainers render them."""

from synthesis.tokens.loading import load_tokenizer
from synthesis.tokens.tokenizer import EMBEDDED, Tokenizer, build_tokenizer, format_length, parse_length

__all__ = ["EMBEDDED", "Tokenizer", "build_tokenizer", "format_length", "load_tokenizer", "parse_length"]

"""Texts made comparable: as SQuAD's scorer does for English, with jieba's words for Chinese."""

from __future__ import annotations

import re
import string
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from synthesis.errors import MissingExtraError

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_ASCII = str.maketrans("", "", string.punctuation)
# Full-width forms, brackets and quotes of Chinese print, dashes and dots. Published scorers take the
# ASCII full stop twice and leave a few rarer marks in, and so do these.
_CHINESE = str.maketrans(
    "",
    "",
    string.punctuation
    + "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、"
    + "〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏",
)


def normalized(text: str) -> str:
    """Lower case, without ASCII punctuation and English articles, words parted by one space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_ASCII)).split())


def words(text: str) -> list[str]:
    """The words of a normalized text."""
    return normalized(text).split()


def chinese_words(text: str) -> list[str]:
    """What jieba takes for words, lower case, without punctuation and spaces."""
    plain = ("".join(part.lower().translate(_CHINESE).split()) for part in segmented(text))
    return [part for part in plain if part]


def segmented(text: str) -> list[str]:
    """Chinese text cut into words by jieba; joined they are the text again.

    Raises:
        MissingExtraError: jieba is not installed.
    """
    return list(_segmenter()(text))


@cache
def _segmenter() -> Callable[[str], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its escapes, and the way it finds its dictionary, are of old
        try:
            import jieba
        except ModuleNotFoundError:
            raise MissingExtraError("jieba", "eval", "Scoring Chinese answers") from None
    cut = jieba.Tokenizer()
    # Its own way of loading keeps a cache in the common folder for temporary files, and reads one that
    # anybody may have put there.
    cut.FREQ, cut.total = cut.gen_pfdict(cut.get_dict_file())
    cut.initialized = True
    words: Callable[[str], Any] = cut.cut
    return words

"""Texts, items and tokenizers that the tests of the assembly share."""

import random
import re
from collections.abc import Iterator, Sequence

from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers, trainers

from synthesis import Context, Pair, Rejected, Sample
from synthesis.data import Message
from synthesis.tokens import Tokenizer, build_tokenizer, load_tokenizer

WORDS = re.findall(
    r"\w+",
    """harbour ledger lantern orchard bailiff copper winter granary ferry chapel widow clerk measured
    carried promised refused counted buried opened crossed the a of under behind before seventeen three
    quietly never again because although river stone bread letter""",
)


def prose(seed: object, words: int) -> str:
    draw = random.Random(str(seed))
    text, made = [], 0
    while made < words:
        sentence = draw.choices(WORDS, k=draw.randint(5, 25))
        text.append(" ".join(sentence).capitalize() + draw.choice((". ", "? ", ".\n\n")))
        made += len(sentence)
    return "".join(text).strip()


def corpus(size: int, words: int = 200, tasks: Sequence[str] = ("story_qa",)) -> list[tuple[Pair, Context]]:
    made = []
    for place in range(size):
        pair = Pair(instruction=f"Who is {place}?", answer=f"Zorv {place}", task=tasks[place % len(tasks)])
        text = prose(place, words + place % 5 * words // 10)
        made.append((pair, Context(pair.id, f"{text} Zorv {place} it was.", fingerprint=f"f{place}")))
    return made


def byte_level() -> Backend:
    made = Backend(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|im_start|>", "<|im_end|>", "<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([prose(n, 300) for n in range(4)], trainer)
    return made


def unigram() -> Backend:
    made = Backend(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<unk>", "<s>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator([prose(n, 300) for n in range(4)], trainer)
    return made


def word_piece() -> Backend:
    made = Backend(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=["[UNK]"], show_progress=False)
    made.train_from_iterator([prose(n, 300) for n in range(4)], trainer)
    return made


def unsplit() -> Backend:
    """A tokenizer that joins across words and blanks, as some SentencePiece models do."""
    made = Backend(models.BPE(unk_token="<unk>", byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False, max_token_length=12
    )
    made.train_from_iterator([prose(n, 120) for n in range(2)], trainer)
    return made


PLAIN = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
STRIPPING = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
    "{% else %} {{ m.content | trim }}{{ eos_token }}{% endif %}{% endfor %}"
)
INTRODUCED = (
    "{% if messages[0].role != 'system' %}<|system|>You are asked about documents.\n{% endif %}"
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

TOKENIZERS = {
    "embedded": load_tokenizer(),
    "byte_level": build_tokenizer("byte_level", byte_level().to_str(), PLAIN, {}),
    "unigram": build_tokenizer("unigram", unigram().to_str(), INTRODUCED, {}),
    "word_piece": build_tokenizer("word_piece", word_piece().to_str(), STRIPPING, {"bos_token": "[CLS]"}),
    "unsplit": build_tokenizer(
        "unsplit", unsplit().to_str(), STRIPPING, {"bos_token": "<s>", "eos_token": "</s>"}
    ),
}


def samples(outcomes: Iterator[Sample | Rejected]) -> list[Sample]:
    made = list(outcomes)
    assert all(isinstance(outcome, Sample) for outcome in made), made
    return [outcome for outcome in made if isinstance(outcome, Sample)]


def check(sample: Sample, pair: Pair, context: Context, tokenizer: Tokenizer) -> None:
    """What must hold for every sample whatever the texts."""
    user, assistant = sample.messages
    start, end = sample.evidence_span
    assert (user.role, assistant) == ("user", Message("assistant", pair.answer))
    assert user.content[start:end] == context.text
    assert pair.instruction in user.content[:start] + user.content[end:]
    assert sample.tokens == tokenizer.count_chat(sample.messages) <= sample.budget
    assert 0.0 <= sample.depth <= 1.0
    assert sample.documents.count(pair.id) == 1


odd_text = st.lists(
    st.one_of(
        st.sampled_from(
            [
                ". ",
                "。",
                "\n\n",
                " ",
                "{documents}",
                "{instruction}",
                "{{ x }}",
                "<|turn|>",
                "<|im_end|>",
                "[INST]",
            ]
            + [
                "</s>",
                "\N{SLIGHTLY SMILING FACE}",
                "שלום",
                "窗户",
                "\x00",
                "\u200f",
                "\r\n",
                "e\u0301",
                "\ud800",
                "{}",
            ]
        ),
        st.text(max_size=30),
        st.integers(0, 99).map(lambda seed: prose(seed, 20)),
    ),
    max_size=12,
).map("".join)


def tokens_of(sample: Sample, tokenizer: Tokenizer, span: tuple[int, int]) -> tuple[int, int]:
    """The tokens of the whole rendered sample that hold a span of its first message, the plain way."""
    content, rendered = sample.messages[0].content, tokenizer.render(sample.messages)
    shift = rendered.find(content.strip()) - (len(content) - len(content.lstrip()))
    held = [
        token
        for token, (start, end) in enumerate(tokenizer.offsets(rendered))
        if start < span[1] + shift and end > span[0] + shift
    ]
    return (held[0], held[-1] + 1) if held else (0, 0)

import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

from synthesis.data import Message
from synthesis.errors import MissingExtraError, TokenizerError, UsageError
from synthesis.tokens import Tokenizer, build_tokenizer, format_length, load_tokenizer, parse_length
from synthesis.tokens.chat_template import ChatTemplate
from tests.programs import run_python

TEXTS = [
    "The lamplighter of Orve climbed the ladder at dusk; nobody in the square looked up.",
    "A ledger, two coins and 1,204 unopened letters lay on the harbour master's desk.",
    "Das Fenster stand offen. La fenêtre était ouverte. 窗户开着。 Окно было открыто.",
    "if x == {'a': 1}: return f'{x}'  # braces \N{SLIGHTLY SMILING FACE}",
]
TURNS = [Message("user", "Where is the ledger?"), Message("assistant", "On the desk.")]
CHAT = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"

odd_text = st.text(
    st.one_of(
        st.sampled_from("ab \n\t.{}<|>é窗שلا\N{SLIGHTLY SMILING FACE}\u200d\u0301\x00\x1b\u2028"),
        st.characters(codec="utf-8"),
    ),
    max_size=60,
)


def byte_level() -> Backend:
    made = Backend(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|im_start|>", "<|im_end|>", "<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(TEXTS, trainer)
    return made


def unigram() -> Backend:
    made = Backend(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=["<unk>", "<s>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(TEXTS, trainer)
    return made


def word_piece() -> Backend:
    made = Backend(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=200, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False
    )
    made.train_from_iterator(TEXTS, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return made


MADE = {
    made.__name__: build_tokenizer(made.__name__, made().to_str(), CHAT, {})
    for made in (byte_level, unigram, word_piece)
}
ALL = {**MADE, "embedded": load_tokenizer()}


@pytest.fixture(params=sorted(ALL))
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return ALL[request.param]


def save(folder: Path, backend: Backend, **config: object) -> str:
    folder.mkdir(exist_ok=True)
    backend.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return str(folder)


# --- counting ---------------------------------------------------------------


def test_counts_agree_however_asked(tokenizer: Tokenizer) -> None:
    singly = [tokenizer.count(text) for text in TEXTS]
    assert tokenizer.count_batch(TEXTS) == singly
    assert [len(tokenizer.encode(text)) for text in TEXTS] == singly
    assert [len(tokenizer.offsets(text)) for text in TEXTS] == singly
    assert all(count > 5 for count in singly)
    assert tokenizer.count_batch([]) == []
    assert tokenizer.count("") == 0


def test_special_tokens_are_not_added_but_those_in_the_text_count_as_one() -> None:
    plain = ALL["byte_level"].count("a b")
    assert ALL["byte_level"].count("a<|im_end|> b") == plain + 1
    assert ALL["word_piece"].count("the") == 1  # no [CLS], no [SEP]


def test_cut_off_and_padding_of_a_published_file_are_reset(tmp_path: Path) -> None:
    backend = byte_level()
    backend.enable_truncation(4)
    backend.enable_padding(length=64)
    loaded = load_tokenizer(save(tmp_path / "t", backend))
    assert loaded.count(TEXTS[0]) == ALL["byte_level"].count(TEXTS[0]) > 4
    assert loaded.count("a") == 1


def test_lone_surrogates_count_and_keep_their_place(tokenizer: Tokenizer) -> None:
    text = "The \ud83d ledger"
    assert tokenizer.count(text) == tokenizer.count("The \ufffd ledger")
    assert tokenizer.offsets(text)[-1][1] == len(text)
    assert tokenizer.truncate(text, 10_000) == text


@settings(max_examples=60, deadline=None)
@given(text=odd_text, limit=st.integers(0, 40), name=st.sampled_from(sorted(ALL)))
def test_truncate_gives_the_longest_prefix_that_fits(text: str, limit: int, name: str) -> None:
    tokenizer = ALL[name]
    cut = tokenizer.truncate(text, limit)
    assert text.startswith(cut)
    assert tokenizer.count(cut) <= limit
    # Exact by brute force where every prefix is within the reach that is searched.
    if tokenizer.count(text) <= limit + 4 and limit:
        longest = max(end for end in range(len(text) + 1) if tokenizer.count(text[:end]) <= limit)
        assert len(cut) == longest


def test_truncate_never_splits_a_character() -> None:
    text = "\N{SLIGHTLY SMILING FACE}" * 30
    tokenizer = ALL["byte_level"]
    each = tokenizer.count(text[0])
    assert each > 1
    assert len(tokenizer.truncate(text, 10 * each + 1)) == 10


def test_long_text_is_cut_close(tokenizer: Tokenizer) -> None:
    text = " ".join(TEXTS * 40)
    cut = tokenizer.truncate(text, 1000)
    assert 990 <= tokenizer.count(cut) <= 1000


# --- chat templates ---------------------------------------------------------


def test_rendered_chat_is_counted_without_a_second_bos() -> None:
    template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"
    backend = byte_level()
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 2)])
    tokenizer = build_tokenizer("bos", backend.to_str(), template, {"bos_token": "<s>"})
    assert tokenizer.render(TURNS) == "<s>Where is the ledger?On the desk."
    assert tokenizer.count_chat(TURNS) == 1 + tokenizer.count("Where is the ledger?On the desk.")


def test_generation_prompt_and_generation_blocks() -> None:
    source = (
        "{% for m in messages %}\n"
        "    {% if m.role == 'assistant' %}\n"
        "{% generation %}{{ m.content | trim }}{% endgeneration %}\n"
        "    {% else %}{{ m.content }}|{% continue %}{% endif %}\n"
        "{% endfor %}{% if add_generation_prompt %}>{% endif %}"
    )
    turns = [Message("user", "q"), Message("assistant", "  a  ")]
    assert ChatTemplate(source).render(turns) == "q|a"
    assert ChatTemplate(source).render(turns[:1], add_generation_prompt=True) == "q|>"


def test_tojson_is_plain_and_the_date_stands_still() -> None:
    source = "{{ messages[0].content | tojson }} {{ strftime_now('%d %b %Y') }}"
    first = ChatTemplate(source).render([Message("user", "<é&'\">")])
    assert first == '"<é&\'\\">" 24 Sep 2025'


def test_a_template_that_refuses_says_what_it_wants() -> None:
    source = "{% if messages[0].role != 'system' %}{{ raise_exception('a system turn first') }}{% endif %}"
    with pytest.raises(TokenizerError, match=r"\[user, assistant\]: a system turn first\. Choose"):
        ChatTemplate(source).render(TURNS)


@pytest.mark.parametrize("source", ["{% if %}", "{{ messages.nope.deeper }}", "{{ ''.__class__.mro() }}"])
def test_broken_and_hostile_templates_are_refused(source: str) -> None:
    with pytest.raises(TokenizerError, match="cannot render"):
        ChatTemplate(source).render(TURNS)


HOSTILE = {
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "memory": "{{ 'a' * 10 ** 11 }}",
    "nesting": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "no number": "{{ 1 / 0 }}",
    "much": "{% for m in messages %}{{ m.content * 99 }}{% endfor %}",
    "endless": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_template_that_never_ends_or_takes_too_much_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthesis.tokens.template_trial.SECONDS", 1)
    tokenizer = build_tokenizer("bad", byte_level().to_str(), HOSTILE[name], {})
    with pytest.raises(TokenizerError, match="(?s)cannot render a user turn|takes more than|far more"):
        tokenizer.check_chat()


MUTE = {
    "{% for m in messages %}{{ m.role }}{% endfor %}": "the user says",
    "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}": "the assistant says",
    "{{ messages[0].content }}": "the assistant says",
    "{% for m in messages %}{{ m.content[:200] }}{% endfor %}": "the user says",  # only what is long is cut
    "{% for m in messages %}{{ m.content | tojson if m.content is not string }}{% endfor %}": "the user says",
}


@pytest.mark.parametrize("source", MUTE)
def test_a_template_that_leaves_out_what_is_said_is_refused(source: str) -> None:
    tokenizer = build_tokenizer("mute", byte_level().to_str(), source, {})
    with pytest.raises(TokenizerError, match=f"'mute' does not print what {MUTE[source]}.*Choose another"):
        tokenizer.check_chat()


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}{{ m.role }}:{% for c in m.content %}{{ c.text }}{% endfor %}|{% endfor %}",
        "{% for m in messages %}{{ m.role }}:{{ m.content[0]['text'] }}|{% endfor %}",
        "{% for m in messages %}{{ m.role }}:{{ m.content | map(attribute='text') | join }}|{% endfor %}",
    ],
)
def test_a_template_that_wants_parts_gets_parts(source: str) -> None:
    tokenizer = build_tokenizer("parts", byte_level().to_str(), source, {})
    tokenizer.check_chat()
    assert tokenizer.render(TURNS) == "user:Where is the ledger?|assistant:On the desk.|"


def test_contents_are_never_expanded() -> None:
    turns = [Message("user", "{{ 7 * 7 }} {% raw %} {documents}"), Message("assistant", "{instruction}")]
    assert "{{ 7 * 7 }} {% raw %} {documents}" in ALL["byte_level"].render(turns)


def test_without_a_template_counting_works_and_rendering_explains() -> None:
    tokenizer = build_tokenizer("base", byte_level().to_str(), None, {})
    assert tokenizer.count("a b") > 0
    with pytest.raises(TokenizerError, match="'base' has no chat template"):
        tokenizer.count_chat(TURNS)


# --- loading ----------------------------------------------------------------


@pytest.mark.parametrize(
    "chat",
    [
        CHAT,
        [{"name": "tool_use", "template": "x"}, {"name": "default", "template": CHAT}],
    ],
)
def test_template_inside_the_config(tmp_path: Path, chat: object) -> None:
    folder = save(tmp_path / "t", byte_level(), chat_template=chat, eos_token={"content": "<|im_end|>"})
    loaded = load_tokenizer(folder)
    assert loaded.template is not None
    assert loaded.template.special_tokens == {"eos_token": "<|im_end|>"}
    assert loaded.count_chat(TURNS) == ALL["byte_level"].count_chat(TURNS)


def test_template_file_wins(tmp_path: Path) -> None:
    folder = save(tmp_path / "t", byte_level(), chat_template="old")
    (tmp_path / "t" / "chat_template.jinja").write_text("{{ messages[0].content }}!")
    assert load_tokenizer(folder).render(TURNS) == "Where is the ledger?!"


def test_identity_follows_what_counts(tmp_path: Path) -> None:
    first = load_tokenizer(save(tmp_path / "a", byte_level(), chat_template=CHAT))
    same = load_tokenizer(save(tmp_path / "b", byte_level(), chat_template=CHAT))
    other = load_tokenizer(save(tmp_path / "c", byte_level(), chat_template=CHAT + " "))
    eos = load_tokenizer(save(tmp_path / "d", byte_level(), chat_template=CHAT, eos_token="<s>"))
    assert first.identity == same.identity
    assert len({first.identity, other.identity, eos.identity, load_tokenizer().identity}) == 4


def test_named_special_tokens_missing_from_the_file_are_known(tmp_path: Path) -> None:
    loaded = load_tokenizer(save(tmp_path / "t", byte_level(), eos_token="<the-end>"))
    assert loaded.count("<the-end>") == 1


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "a/b/c", " ", ".."])
def test_missing_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises((TokenizerError, MissingExtraError)):
        load_tokenizer(name)


def test_damaged_files(tmp_path: Path) -> None:
    folder = save(tmp_path / "t", byte_level())
    (tmp_path / "t" / "tokenizer.json").write_text('{"model": 3}')
    with pytest.raises(TokenizerError, match=r"tokenizer\.json of .* cannot be read"):
        load_tokenizer(folder)
    (tmp_path / "t" / "tokenizer_config.json").write_text("[")
    with pytest.raises(TokenizerError, match="is not JSON"):
        load_tokenizer(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
@pytest.mark.parametrize(("data", "said"), [(b"\xff{}", "UTF-8"), (b"[" * 5000, "not")])
def test_files_of_other_bytes_or_too_many_levels(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    folder = Path(save(tmp_path / "t", byte_level(), chat_template=CHAT))
    (folder / name).write_bytes(data)
    with pytest.raises(TokenizerError, match=said):
        load_tokenizer(str(folder)).check_chat()


def test_without_tokenizer_json_transformers_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"context-synthesis\[local\]"):
        load_tokenizer(str(tmp_path))


def test_transformers_converts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    converted = SimpleNamespace(
        backend_tokenizer=byte_level(), chat_template=CHAT, special_tokens_map={"eos_token": "<|im_end|>"}
    )
    loader = SimpleNamespace(from_pretrained=lambda *_, **__: converted)
    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(AutoTokenizer=loader))
    assert load_tokenizer(str(tmp_path)).count_chat(TURNS) == ALL["byte_level"].count_chat(TURNS)
    converted.backend_tokenizer = None
    with pytest.raises(TokenizerError, match="no character offsets"):
        load_tokenizer(str(tmp_path))


class FakeHub(BaseHTTPRequestHandler):
    """Just enough of the Hub: one repository with a tokenizer, and weights nobody should ask for."""

    files: dict[str, bytes] = {}
    asked: list[str] = []
    sha = "a" * 40

    def answer(self, body: bool) -> None:
        FakeHub.asked.append(self.path)
        parts = self.path.split("?")[0].split("/")
        headers, status, content = {}, 200, b""
        if "ours/tiny" not in self.path:
            headers, status = {"X-Error-Code": "RepoNotFound"}, 404
        elif "/tree/" in self.path:
            tree = [
                {"type": "file", "path": name, "size": len(held), "oid": name}
                for name, held in self.files.items()
            ]
            content = json.dumps(tree).encode()
        elif parts[1] == "api":
            siblings = [{"rfilename": name} for name in self.files]
            content = json.dumps({"id": "ours/tiny", "sha": self.sha, "siblings": siblings}).encode()
        else:
            content = self.files[parts[-1]]
            headers = {"ETag": f'"{parts[-1]}"', "X-Repo-Commit": self.sha}
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def do_GET(self) -> None:
        self.answer(True)

    def do_HEAD(self) -> None:
        self.answer(False)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    FakeHub.files = {
        "tokenizer.json": byte_level().to_str().encode(),
        "tokenizer_config.json": json.dumps({"chat_template": CHAT}).encode(),
        "model.safetensors": b"weights",
    }
    FakeHub.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def in_fresh_process(code: str, hub: str, home: Path) -> subprocess.CompletedProcess[str]:
    quiet = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0"}
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    environment = {**kept, **quiet, "HF_ENDPOINT": hub, "HF_HOME": str(home), "HF_TOKEN": "hf_x"}
    return run_python("-c", code, alone=environment)


def test_from_the_hub_only_the_tokenizer_is_fetched(hub: str, tmp_path: Path) -> None:
    code = (
        "from synthesis.tokens import load_tokenizer\n"
        "from synthesis.data import Message\n"
        "t = load_tokenizer('ours/tiny', revision='main')\n"
        "print(t.count_chat([Message('user', 'Where is the ledger?'), Message('assistant', 'On the desk.')]))"
    )
    done = in_fresh_process(code, hub, tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == ALL["byte_level"].count_chat(TURNS)
    assert any("tokenizer.json" in path for path in FakeHub.asked)
    assert not any("safetensors" in path for path in FakeHub.asked)


def test_an_unknown_hub_id_is_named(hub: str, tmp_path: Path) -> None:
    code = (
        "from synthesis.tokens import load_tokenizer\n"
        "from synthesis.errors import TokenizerError\n"
        "try:\n    load_tokenizer('ours/missing')\n"
        "except TokenizerError as error:\n    print(error)"
    )
    done = in_fresh_process(code, hub, tmp_path)
    assert "'ours/missing' cannot be fetched from the Hub" in done.stdout, done.stderr


# --- the embedded tokenizer -------------------------------------------------


def test_embedded_encodes_anything_and_gives_it_back() -> None:
    tokenizer = load_tokenizer("embedded")
    for text in [*TEXTS, "\x00\x1b\u202e اردو 12345678", "\N{SLIGHTLY SMILING FACE}"]:
        assert tokenizer.backend.decode(tokenizer.encode(text), skip_special_tokens=False) == text


def test_embedded_template_marks_every_turn() -> None:
    tokenizer = load_tokenizer()
    assert tokenizer.render(TURNS) == (
        "<|turn|>user\nWhere is the ledger?<|over|>\n<|turn|>assistant\nOn the desk.<|over|>\n"
    )
    assert tokenizer.render(TURNS[:1], add_generation_prompt=True).endswith("<|over|>\n<|turn|>assistant\n")
    assert tokenizer.count("<|turn|>") == tokenizer.count("<|over|>") == 1


def test_embedded_is_small_and_loaded_once() -> None:
    folder = Path(__file__).parent.parent / "synthesis" / "tokens"
    assert (folder / "tokenizer.json").stat().st_size < 1_500_000
    assert load_tokenizer() is load_tokenizer("embedded")
    assert load_tokenizer().backend.get_vocab_size() <= 16_384


def test_tokenizers_survive_pickling(tokenizer: Tokenizer) -> None:
    tokenizer.count_chat(TURNS)
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy == tokenizer
    assert copy.count_chat(TURNS) == tokenizer.count_chat(TURNS)


# --- lengths ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "tokens"),
    [("8k", 8192), ("4K", 4096), (" 1M ", 1048576), ("1.5k", 1536), (2000, 2000), ("2000", 2000), (1, 1)],
)
def test_lengths(written: int | str, tokens: int) -> None:
    assert parse_length(written) == tokens


@pytest.mark.parametrize(
    "nonsense",
    ["32,000", "8kb", "", "k", "-8k", "0", 0, -1, True, "1.0001k", "8 k k", "٨k", "1e3", "inf", None, 2.5],
)
def test_lengths_that_are_none(nonsense: int | str) -> None:
    with pytest.raises(UsageError, match="Write it like 8k"):
        parse_length(nonsense)


@given(st.integers(1, 10**8))
def test_format_length_is_read_back(tokens: int) -> None:
    assert parse_length(format_length(tokens)) == tokens


def test_format_length() -> None:
    assert [format_length(n) for n in (8192, 1048576, 2000, 1536, 131072)] == [
        "8k",
        "1M",
        "2000",
        "1536",
        "128k",
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=odd_text, name=st.sampled_from(sorted(ALL)))
def test_any_content_can_be_rendered_and_counted(content: str, name: str) -> None:
    turns = [Message("user", content), Message("assistant", content)]
    assert ALL[name].render(turns).count(content) >= (2 if content else 0)
    assert ALL[name].count_chat(turns) == ALL[name].count(ALL[name].render(turns))

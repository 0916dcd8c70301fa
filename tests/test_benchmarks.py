"""Forms of benchmarks: files as they publish them -> questions -> files as their scorers read them."""

import json
import zipfile

import pytest

from synthesis.data import Rejected
from synthesis.errors import SourceError, UsageError
from synthesis.evaluation.forms import form_named, form_of
from synthesis.evaluation.metrics import METRICS
from synthesis.evaluation.questions import Prediction, QuestionSource, Variant


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def read(form, place, **more):
    """The questions and the rejected rows of a source, each question with a metric that there is."""
    outcomes = list(form_named(form).read(QuestionSource(str(place), **more)))
    questions = [one for one in outcomes if not isinstance(one, Rejected)]
    assert all(one.metric in METRICS for one in questions)
    assert len({one.id for one in questions}) == len(questions)
    return questions, [one for one in outcomes if isinstance(one, Rejected)]


def answered(questions, replies, condition="full", length=0):
    return [
        Prediction(question, Variant(condition, length), reply)
        for question, reply in zip(questions, replies, strict=True)
    ]


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def longbench(task="hotpotqa", **more):
    row = {"input": "Who?", "context": "Ann did.", "answers": ["Ann"], "length": 3, "dataset": task}
    return row | {"language": "en", "all_classes": None, "_id": "a1"} | more


V2 = {
    "_id": "66f",
    "domain": "Law",
    "sub_domain": "x",
    "difficulty": "easy",
    "length": "short",
    "question": " Which? ",
    "choice_A": "one",
    "choice_B": "two $C_A$ {context}",
    "choice_C": "3",
    "choice_D": "4",
    "answer": "B",
    "context": " The text. ",
}
RULER = {
    "index": 4,
    "input": "A number is hidden.\nIt is 7 for x.\nWhat is the number for x?",
    "outputs": ["7"],
    "length": 400,
    "answer_prefix": " The number is",
    "token_position_answer": 100,
}
SCROLLS = {
    "id": "q1",
    "pid": "q1_0",
    "input": "Read.\n\nArticle:\nAnn ran.\n\nQuestion:\nWho?",
    "output": "Ann",
    "document_start_index": 16,
    "document_end_index": 24,
    "query_start_index": 26,
}
RAG = {
    "id": 5,
    "question": "Who ran?",
    "answers": ["Ann", "Annie"],
    "depth": 0.5,
    "ctxs": [{"title": "Ann", "text": "She ran."}, {"title": "Bob", "text": "He sat."}],
}


def test_longbench_from_the_file_to_the_prediction(tmp_path) -> None:
    lines(tmp_path / "data/hotpotqa.jsonl", [longbench(), longbench(_id="a2", context="")])
    lines(tmp_path / "data/trec_e.jsonl", [longbench("trec", all_classes=["Ann", "Bob"], _id="a1")])
    lines(tmp_path / "pred/m/hotpotqa.jsonl", [{"pred": "of another run"}])
    assert form_of(QuestionSource(str(tmp_path))).name == "longbench"
    questions, bad = read("longbench", tmp_path)
    first, _, even = questions
    assert not bad and [one.task for one in questions] == ["hotpotqa", "hotpotqa", "trec_e"]
    assert (first.context, first.instruction, first.answers) == ("Ann did.", "Who?", ("Ann",))
    assert (first.metric, first.most_tokens, first.length, first.truncation) == ("f1", 32, 3, "middle")
    assert (first.wording, even.metric) == ("our own", "classification-first-line")
    assert (even.classes, even.most_tokens) == (("Ann", "Bob"), 64)

    out = tmp_path / "out"
    written = form_named("longbench").write(out, "m", answered(questions, ["Ann", "\ud800 北京", "Bob\nAnn"]))
    assert written == [out / "pred/m/hotpotqa.jsonl", out / "pred_e/m/trec.jsonl"]
    assert rows_of(written[0]) == [
        {"pred": "Ann", "answers": ["Ann"], "all_classes": None, "length": 3},
        {"pred": "\ud800 北京", "answers": ["Ann"], "all_classes": None, "length": 3},
    ]
    assert "北京" in written[0].read_text(encoding="utf-8")
    assert rows_of(written[1])[0]["all_classes"] == ["Ann", "Bob"]


def test_longbench_takes_its_own_prompts_where_they_are(tmp_path) -> None:
    lines(tmp_path / "LongBench/data/hotpotqa.jsonl", [longbench(input="{context}?")])
    lines(tmp_path / "LongBench/data/lcc.jsonl", [longbench("lcc")])
    config = tmp_path / "LongBench/config"
    config.mkdir()
    (config / "dataset2prompt.json").write_text('{"hotpotqa": "Told: {context} Asked: {input} {x}"}')
    (config / "dataset2maxlen.json").write_text('{"hotpotqa": 7}')
    for place in (tmp_path / "LongBench", tmp_path / "LongBench/data"):
        (first, other), _ = read("longbench", place)
        assert (first.template, first.most_tokens) == ("Told: {context} Asked: {input} {x}", 7)
        assert (first.wording, other.wording, other.most_tokens) == ("dataset2prompt.json", "our own", 64)
    elsewhere = lines(tmp_path / "other/hotpotqa.jsonl", [longbench()])
    for given in (config, config / "dataset2prompt.json"):
        assert read("longbench", elsewhere, prompts=str(given))[0][0].most_tokens == 7

    for text, told in (
        ("[]", "no JSON object"),
        ("{", "is not JSON"),
        ('{"hotpotqa": "x"}', r"'hotpotqa' has no \{context\}"),
    ):
        (config / "dataset2prompt.json").write_text(text)
        with pytest.raises(SourceError, match=told):
            read("longbench", elsewhere, prompts=str(config))
    (config / "dataset2prompt.json").write_text("{}")
    (config / "dataset2maxlen.json").write_text('{"hotpotqa": "7"}')
    with pytest.raises(SourceError, match="replies to 'hotpotqa' is '7'"):
        read("longbench", elsewhere, prompts=str(config))
    with pytest.raises(SourceError, match=r"--prompts .*none was not found"):
        read("longbench", elsewhere, prompts=str(tmp_path / "none"))


def test_longbench_tells_bad_rows_by_file_and_line(tmp_path) -> None:
    path = lines(tmp_path / "qasper.jsonl", [longbench(), {"input": "x"}, 7, longbench(answers=[])])
    with path.open("a") as file:
        file.write("{broken\n")
        file.write(json.dumps(longbench(answers=[None], _id="z")) + "\n")
    questions, bad = read("longbench", tmp_path)
    assert len(questions) == 1
    assert [(one.pair_id, one.stage, one.reason) for one in bad] == [
        ("qasper.jsonl:2", "questions", "the row has no answer in the column 'answers'"),
        ("qasper.jsonl:3", "questions", "the row is no object with named columns but int"),
        ("qasper.jsonl:4", "questions", "the row has no answer in the column 'answers'"),
        ("qasper.jsonl:5", "questions", bad[3].reason),
        ("qasper.jsonl:6", "questions", "the column 'answers' has 'None', which is no text but NoneType"),
    ]
    assert bad[3].reason.startswith("broken JSON")
    assert all(one.text for one in bad)


def test_longbench_one_file_of_any_name_and_the_whole_archive(tmp_path) -> None:
    path = lines(tmp_path / "mine.jsonl", [longbench("qasper"), longbench("nonsense", _id="b")])
    path.write_text(path.read_text().replace('["Ann"]', "[4.10, 7]"))
    questions, bad = read("longbench", path)
    assert questions[0].answers == ("4.10", "7")
    assert [one.task for one in questions] == ["qasper"]
    assert bad[0].reason == "neither the file nor the column 'dataset' ('nonsense') names a task of LongBench"
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for task in ("hotpotqa", "lcc_e"):
            archive.writestr(f"data/{task}.jsonl", json.dumps(longbench()) + "\n")
    assert [one.task for one in read("longbench", tmp_path / "data.zip")[0]] == ["hotpotqa", "lcc_e"]
    assert [one.task for one in read("longbench", tmp_path / "data.zip", tasks=("lcc_e",))[0]] == ["lcc_e"]
    with pytest.raises(SourceError, match=r"no file of the task trec\. Tasks there: hotpotqa, lcc_e"):
        read("longbench", tmp_path / "data.zip", tasks=("trec", "lcc_e"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no file that is named by a task"):
        read("longbench", tmp_path / "empty")


def test_longbench_v2_names_letters(tmp_path) -> None:
    (tmp_path / "data.json").write_text(json.dumps([V2, V2 | {"_id": "2", "answer": "E"}, V2 | {"_id": "3"}]))
    assert form_of(QuestionSource(str(tmp_path / "data.json"))).name == "longbench-v2"
    questions, bad = read("longbench-v2", tmp_path)
    assert bad[0].reason == "the answer 'E' is none of the letters A to D"
    one = questions[0]
    assert one.instruction == "Which?\nChoices:\n(A) one\n(B) two $C_A$ {context}\n(C) 3\n(D) 4"
    assert (one.context, one.answers, one.metric, one.most_tokens) == ("The text.", ("B",), "choice", 128)
    replies = ["**The correct answer is (B)**", "B"]
    (path,) = form_named("longbench-v2").write(tmp_path / "out", "m", answered(questions, replies))
    assert path == tmp_path / "out/results/m.jsonl"
    first, second = rows_of(path)
    assert (first["pred"], first["judge"], second["pred"], second["judge"]) == ("B", True, None, False)
    assert (first["difficulty"], first["length"], first["response"]) == ("easy", "short", replies[0])
    (path,) = form_named("longbench-v2").write(tmp_path / "out", "m", answered(questions, replies, "closed"))
    assert path.name == "m_no_context.jsonl"
    with pytest.raises(UsageError, match=r"no question of the task Science .*Tasks there: Law"):
        read("longbench-v2", tmp_path, tasks=("Science", "Law"))
    assert len(read("longbench-v2", tmp_path, tasks=("Law",))[0])


def test_longbench_v2_takes_its_own_prompts(tmp_path) -> None:
    (tmp_path / "data.json").write_text(json.dumps([V2]))
    (tmp_path / "prompts").mkdir()
    mine = "Q: $Q$ A $C_A$ B $C_B$ C $C_C$ D $C_D$ end"
    (tmp_path / "prompts/0shot.txt").write_text(f"<$DOC$> {mine}")
    (tmp_path / "prompts/0shot_no_context.txt").write_text(mine)
    (one,), _ = read("longbench-v2", tmp_path)
    assert (one.template, one.closed, one.wording) == (
        "<{context}> Q: {input} end",
        "Q: {input} end",
        "0shot.txt",
    )
    for text, told in (("no marks $DOC$", r"has no \$Q\$"), (mine, r"has no \$DOC\$")):
        (tmp_path / "prompts/0shot.txt").write_text(text)
        with pytest.raises(SourceError, match=told):
            read("longbench-v2", tmp_path)


def test_ruler_keeps_its_prompts_and_tells_lengths_apart(tmp_path) -> None:
    for length in (4096, 8192):
        lines(tmp_path / f"{length}/data/niah_single_1/validation.jsonl", [RULER])
    lines(tmp_path / "4096/data/qa_2/validation.jsonl", [RULER, {"index": 5, "outputs": ["x"]}])
    lines(tmp_path / "4096/data/qa_2/test.jsonl", [RULER])
    assert form_of(QuestionSource(str(tmp_path))).name == "ruler"
    questions, bad = read("ruler", tmp_path)
    assert [one.id for one in questions] == ["4096-niah_single_1-4", "4096-qa_2-4", "8192-niah_single_1-4"]
    assert [one.pair_id for one in bad] == ["4096/data/qa_2/validation.jsonl:2"]
    assert bad[0].reason == "the row lacks the column 'input'"
    one, qa, _ = questions
    assert one.context == "A number is hidden.\nIt is 7 for x."
    assert one.instruction == "What is the number for x? The number is"
    shown = one.template.replace("{context}", one.context).replace("{input}", one.instruction)
    assert shown == RULER["input"] + RULER["answer_prefix"]
    assert (one.metric, one.most_tokens, one.depth, qa.metric) == (
        "all-substrings",
        128,
        0.25,
        "any-substring",
    )
    written = form_named("ruler").write(tmp_path / "out", "m", answered(questions, ["7", "8", "9"]))
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == [
        "m/4096/pred/niah_single_1.jsonl",
        "m/4096/pred/qa_2.jsonl",
        "m/8192/pred/niah_single_1.jsonl",
    ]
    assert rows_of(written[0]) == [
        {
            "index": 4,
            "pred": "7",
            "input": shown,
            "outputs": ["7"],
            "others": {},
            "truncation": -1,
            "length": 400,
        }
    ]


def test_a_single_file_is_of_the_task_that_its_folder_names(tmp_path) -> None:
    path = lines(tmp_path / "qa_1/validation.jsonl", [RULER])
    assert [one.metric for one in read("ruler", path)[0]] == ["any-substring"]
    path = lines(tmp_path / "some.jsonl", [RULER, RULER | {"task": "qa_2"}])
    questions, bad = read("ruler", path)
    assert [one.task for one in questions] == ["qa_2"]
    assert bad[0].reason.startswith("neither the file, its folder nor a column 'task' names a task of RULER")
    path = lines(tmp_path / "quality/test.jsonl", [SCROLLS])
    assert [one.metric for one in read("zeroscrolls", path)[0]] == ["letter"]


def test_an_archive_beside_what_it_holds_is_not_read_twice(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for task in ("hotpotqa", "lcc"):
            archive.writestr(f"data/{task}.jsonl", json.dumps(longbench()) + "\n")
    lines(tmp_path / "data/hotpotqa.jsonl", [longbench(_id="mine")])
    assert {one.id for one in read("longbench", tmp_path)[0]} == {"hotpotqa-mine", "lcc-a1"}


def test_zeroscrolls_asks_the_document_in_its_own_words(tmp_path) -> None:
    lines(
        tmp_path / "qasper/validation.jsonl",
        [SCROLLS, SCROLLS | {"output": "Ann Lee"}, SCROLLS | {"id": "q2"}],
    )
    lines(tmp_path / "qasper/test.jsonl", [SCROLLS | {"output": None}])
    bad_place = SCROLLS | {"id": "q9", "document_end_index": 999}
    lines(tmp_path / "quality/test.jsonl", [SCROLLS, bad_place])
    assert form_of(QuestionSource(str(tmp_path))).name == "zeroscrolls"
    questions, bad = read("zeroscrolls", tmp_path)
    assert [(one.id, one.answers) for one in questions] == [("qasper-q1", ("",)), ("quality-q1", ("Ann",))]
    assert bad[0].reason.startswith("the document is said to stand at 16 to 999 of 4")
    questions, _ = read("zeroscrolls", tmp_path, split="validation", tasks=("qasper",))
    assert [one.answers for one in questions] == [("Ann", "Ann Lee"), ("Ann",)]
    one = questions[0]
    assert (one.context, one.instruction) == ("Ann ran.", "\n\nQuestion:\nWho?")
    assert (
        one.template.replace("{context}", one.context).replace("{input}", one.instruction) == SCROLLS["input"]
    )
    (path,) = form_named("zeroscrolls").write(tmp_path / "out", "m", answered(questions, ["Ann", ""]))
    assert path == tmp_path / "out/m/preds_qasper.json"
    assert json.loads(path.read_text()) == {"q1": "Ann", "q2": ""}


def test_helmet_reads_passages_and_writes_means(tmp_path) -> None:
    lines(tmp_path / "kilt/nq-dev_k2_dep2.jsonl", [RAG, RAG | {"depth": 1.0}, RAG | {"ctxs": "none"}])
    (tmp_path / "json_kv").mkdir()
    pair = {"context": '{"a": "b"}', "question": "a", "answer": "b", "num_kvs": 1, "demos": [["x", "y"]]}
    (tmp_path / "json_kv/test_k1.json").write_text(json.dumps({"data": [pair, {"context": "x"}]}, indent=1))
    ranking = {
        "qid": "7",
        "query": "Who?",
        "ctxs": [{"id": "1", "text": "a", "label": 0}, {"id": "2", "text": "b", "label": 3}],
    }
    lines(tmp_path / "msmarco/test.jsonl", [ranking])
    assert form_of(QuestionSource(str(tmp_path))).name == "helmet"
    questions, bad = read("helmet", tmp_path)
    assert {one.task for one in questions} == {"json_kv", "kilt_nq", "msmarco_rerank_psg"}
    assert {(one.pair_id, one.reason) for one in bad} == {
        ("kilt/nq-dev_k2_dep2.jsonl:3", "the column 'ctxs' is no list of passages with a text each"),
        ("json_kv/test_k1.json:2", "the row has no answer in the column 'answer'"),
    }
    key, rag, _, rank = questions
    assert rag.context == "Ann\nShe ran.\n\nBob\nHe sat."
    assert (rag.answers, rag.depth, rag.most_tokens) == (("Ann", "Annie"), 0.5, 20)
    assert (key.metric, key.instruction, rank.metric, rank.answers) == (
        "helmet-value",
        "a",
        "ndcg",
        ("2 > 1",),
    )
    replies = ["Corresponding value: b", "Answer: Ann\nor Bob", "nobody", "ID2 > ID1"]
    scored = [
        METRICS[one.metric](reply, one.answers, one.classes)
        for one, reply in zip(questions, replies, strict=True)
    ]
    assert scored == [1.0, 1.0, 0.0, 1.0]
    written = form_named("helmet").write(tmp_path / "out", "m", answered(questions, replies))
    names = [path.name for path in written]
    assert names[2] == (
        "kilt_nq_eval_nq-dev_k2_dep2_in131072_size2_shots0_sampFalsemax20min0t0.0p1.0_chatTrue_42.json"
    )
    result = json.loads(written[2].read_text())
    assert (
        result["averaged_metrics"]["exact_match"] == 50.0 == json.loads(written[3].read_text())["exact_match"]
    )
    assert set(result) == {"args", "data", "metrics", "averaged_metrics", "throughput"}
    assert (result["data"][0]["k"], result["data"][0]["depth"], result["data"][0]["parsed_output"]) == (
        2,
        0.5,
        "Ann",
    )
    assert "ctxs" not in result["data"][0]


def test_where_benchmarks_say_what_answers_it_is_evidence(tmp_path) -> None:
    def pieces(form, place, **more):
        (one,), _ = read(form, place, **more)
        assert one.evidence_source == ("exact" if one.evidence else "none")
        return [one.context[piece.start : piece.end] for piece in one.evidence]

    for task, expected in (("niah_single_1", ["7"]), ("vt", [])):
        lines(tmp_path / f"{task}/validation.jsonl", [RULER])
        assert pieces("ruler", tmp_path, tasks=(task,)) == expected
    lines(tmp_path / "niah_single_1/validation.jsonl", [RULER | {"outputs": ["7", "hid"]}])
    assert pieces("ruler", tmp_path, tasks=("niah_single_1",)) == ["hid", "7"]
    lines(tmp_path / "niah_single_1/validation.jsonl", [RULER | {"outputs": ["7", "i"]}])  # in many places
    assert pieces("ruler", tmp_path, tasks=("niah_single_1",)) == []

    text = "Paragraph 1: a\n\nParagraph 12: b\nc\n\nParagraph 13: d"
    for answer, expected in (("Paragraph 12", ["Paragraph 12: b\nc"]), ("Paragraph 2", [])):
        row = longbench("passage_retrieval_en", context=text, answers=[answer])
        assert pieces("longbench", lines(tmp_path / "passage_retrieval_en.jsonl", [row])) == expected
    row = longbench("passage_retrieval_zh", context="段落1：甲\n\n段落2：乙", answers=["段落2"])
    assert pieces("longbench", lines(tmp_path / "passage_retrieval_zh.jsonl", [row])) == ["段落2：乙"]

    marked = RAG | {"ctxs": [RAG["ctxs"][0], RAG["ctxs"][1] | {"has_answer": True}]}
    assert pieces("helmet", lines(tmp_path / "nq.jsonl", [marked])) == ["Bob\nHe sat."]
    pair = {"context": '{"a": "b", "b": "a"}', "question": "b", "answer": "a", "num_kvs": 2}
    assert pieces("helmet", lines(tmp_path / "json_kv.jsonl", [pair])) == ['"b": "a"']


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("x Answer: a \nb", "a"),
        ("answer: ANSWER: a", "a"),
        (" a \nAnswer", "a"),
        ("", ""),
        ("Answer:\na", ""),
    ],
)
def test_what_helmet_reads_of_a_reply(text, parsed) -> None:
    from synthesis.evaluation.metrics import helmet

    assert helmet.parsed(text) == parsed


def test_helmets_f1_and_rankings() -> None:
    assert METRICS["helmet-f1"]("yes it is", ["yes"], []) == 0.0
    assert METRICS["f1"]("yes it is", ["yes"], []) == 0.5
    grades = ["1 0", "2 3", "3 1"]
    best = 3 + 1 / 1.584962500721156
    assert METRICS["ndcg"]("[ID: 3] > [ID: 2]", [], grades) == pytest.approx(
        (1 + 3 / 1.584962500721156) / best
    )
    assert METRICS["ndcg"]("2 > 2 > 3", [], grades) == pytest.approx(1.0)
    assert METRICS["ndcg"]("none", [], grades) == METRICS["ndcg"]("1", [], ["1 0"]) == 0.0
    assert METRICS["helmet-label"]("4\nlabel: 5", ["5"], []) == 1.0
    assert METRICS["helmet-label"]("label: 5", ["label: 5"], []) == 0.0


def test_a_form_that_does_not_fit_says_so_of_any_source(tmp_path) -> None:
    path = lines(tmp_path / "x.jsonl", [{"question": "a", "answer": "b"}])
    broken = tmp_path / "broken.json"
    broken.write_text("[{")
    for name in ("longbench", "longbench-v2", "ruler", "zeroscrolls", "helmet"):
        for place in (path, broken, tmp_path, tmp_path / "none.jsonl", ""):
            assert form_named(name).fits(QuestionSource(str(place))) is False
        assert form_named(name).fits(QuestionSource("someone/LongBench")) is (name == "longbench")


KEYS = {"context": '{"a": "b"}', "question": "a", "answer": "b", "num_kvs": 1, "depth": 0.5}
RANKED = {
    "qid": "7",
    "query": "Who?",
    "ctxs": [{"id": "1", "text": "a", "label": 0}, {"id": "2", "text": "b"}],
}


@pytest.mark.parametrize(
    ("form", "name", "row"),
    [
        ("longbench", "hotpotqa", longbench()),
        ("longbench", "passage_retrieval_en", longbench(answers=["Paragraph 1"], context="Paragraph 1: a")),
        ("longbench-v2", "data", V2),
        ("ruler", "niah_single_1", RULER),
        ("zeroscrolls", "qasper", SCROLLS),
        ("helmet", "nq", RAG),
        ("helmet", "json_kv", KEYS),
        ("helmet", "msmarco", RANKED),
    ],
)
def test_whatever_stands_in_a_column_is_a_question_or_a_bad_row(tmp_path, form, name, row) -> None:
    odd = [
        None,
        True,
        7,
        1.5,
        "",
        "\ud800",
        "x" * 3000,
        [],
        [None],
        [{}],
        ["a", 1],
        {},
        {"a": [1]},
        "(",
        "\0",
    ]
    rows = [{**row, column: value} for column in row for value in odd]
    rows += [{key: value for key, value in row.items() if key != column} for column in row]
    rows += [{}, {**row, "more": {"deep": ["\ud800"]}}]
    path = tmp_path / f"{name}.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    outcomes = list(form_named(form).read(QuestionSource(str(path))))
    assert len(outcomes) <= len(rows)
    questions = [one for one in outcomes if not isinstance(one, Rejected)]
    assert questions
    assert all(one.reason and one.text for one in outcomes if isinstance(one, Rejected) and one.text != "{}")
    for one in questions:
        assert one.answers and 0.0 <= METRICS[one.metric]("\ud800 a", one.answers, one.classes) <= 1.0
        assert all(0 <= piece.start <= piece.end <= len(one.context) for piece in one.evidence)
    written = form_named(form).write(
        tmp_path / "out", "m", answered(questions, ["\ud800 a"] * len(questions))
    )
    for file in written:
        text = file.read_text(encoding="utf-8")
        (
            json.loads
            if file.suffix != ".jsonl"
            else lambda text: [json.loads(line) for line in text.split("\n")[:-1]]
        )(text)

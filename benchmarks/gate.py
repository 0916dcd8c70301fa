"""What the gate lets pass: texts spoilt in twenty ways, and texts that people wrote for their own pairs.

Run: python -m benchmarks.gate [--data ../shared/data]
The spoilt texts are made from ten pairs of ours; people's texts are read from DATA where it is there.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from synthesis.data import Completion, Context, Pair, Prompt, Rejected
from synthesis.engines.base import Sampling
from synthesis.gate.faults import fault_of, inspect
from synthesis.gate.parsing import parse
from synthesis.prompts import build_prompt, load_template
from synthesis.text.sentences import sentences

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / "tests" / "data" / "pairs.jsonl"
LEAST = 0.3  # the score under which a model is asked again unless a run says otherwise
_CHOSEN = (
    0,
    2,
    5,
    8,
    14,
    18,
    19,
    21,
    23,
    30,
)  # rows of ours: spans, a number, a date, yes/no, a comparison, a summary


class Told(NamedTuple):
    """A pair with a good text, and those of another pair."""

    pair: Pair
    text: str
    other: Pair
    other_text: str
    prompt: Prompt


def _half(text: str) -> str:
    spans = sentences(text)
    return text[: spans[len(spans) // 2][1]]


def _first(text: str) -> str:
    start, end = sentences(text)[0]
    return text[start:end]


_STRANGE = (
    "Der Markt war früh am Morgen schon voll. Die Händler stellten ihre Körbe auf das nasse Pflaster "
    "und sprachen vom Wetter, das seit Tagen nicht besser wurde. Ein Junge lief mit einem Hund an der "
    "Leine zwischen den Ständen umher und suchte seine Schwester. Gegen Mittag kam die Sonne heraus, "
    "und die Leute blieben länger stehen als sonst. Eine alte Frau verkaufte Äpfel aus ihrem Garten, "
    "immer drei zu einem Preis, den sie selbst erfand. Am Nachmittag räumten alle auf, und auf dem "
    "Platz blieben nur Blätter und ein vergessener Handschuh zurück. Der Wirt von nebenan kehrte die "
    "Stufen und grüßte jeden, der noch vorbeikam. So ging ein Tag zu Ende, von dem niemand später etwas "
    "erzählen konnte, weil nichts geschehen war. Nur der Hund bellte noch eine Weile in der Dämmerung."
)
_IDLE = (
    "Nobody remembered when the orchard had last been pruned. The wind came from the east that week and "
    "brought dust with it, and the farmer's wife hung the washing in the barn. Two cousins argued about "
    "a bicycle until supper. A fox had been seen near the henhouse, so the dog slept outside. On "
    "Wednesday somebody left a basket of plums at the gate without a word. The plums were eaten before "
    "anyone asked. When the rain finally came it was thin and warm, and the children stood in it with "
    "their mouths open. The pump squeaked as it always had. In the evening the neighbour played the "
    "accordion, badly, and nobody minded. By the end of the week the dust was gone, the washing smelt "
    "of hay, and the bicycle had a flat tyre that no cousin would own up to having caused."
)
_ORDERS = (
    "1. Start with a short introduction of the people and the place.",
    "2. Add two or three facts that mislead.",
    "3. State every figure exactly once.",
    "4. Keep the paragraphs about equally long, and let each of them begin in another way.",
    "5. Do not use headings.",
    "6. Make sure that the end does not sum up.",
    "7. Use the past tense throughout, but for what people say.",
    "8. Read it aloud before you hand it in.",
)


def _varied(told: Told) -> str:
    said = f"It was {told.pair.answer} in year {{n}}, as the people of that place used to say to one another."
    return " ".join([_first(told.text), *(said.format(n=n) for n in range(1, 20))])


def _about_the_task(told: Told) -> str:
    return (
        f"A reader has received a request. The request asks this: {told.pair.instruction} The "
        "response that the reader "
        f"gave to the request is {told.pair.answer}. The text should lead the reader to the response "
        "without mentioning the request. It should be a story with people who live and work "
        "somewhere, and each of them wants something. Other names and other figures should be "
        "included so that the response is not found too quickly. The response must not be "
        "contradicted by any detail. The story should consist of several paragraphs and should not be "
        "a list. At the end of the text the reader can find out the response if the reader is "
        "attentive enough."
    )


def _labels(told: Told) -> str:
    labels = f"The request: {told.pair.instruction} The response: {told.pair.answer}."
    return f"{labels} The text must not mention a request or a response. {_half(told.text)}"


def _thinking_aloud(told: Told) -> str:
    return (
        "Okay, let's see. The user wants me to write a text from which one can answer this: "
        f"{told.pair.instruction} The "
        f"answer is {told.pair.answer}, so I need to work it in somewhere. I should not repeat the "
        "question word for word. First I will think of some people. Maybe a widow and her son, who "
        "live near the place. Then I need some wrong turns, other names and other numbers. Wait, the "
        "instructions say that none of them may contradict it. Let me write about 150 words. I have "
        "to begin with the marker. Then the story can open with the weather, and after that I can "
        "bring in the people one after another. I think that would satisfy the request of the user."
    )


def _asked_twice(told: Told) -> str:
    return f"{told.pair.instruction} {told.pair.answer}. {_IDLE} {told.pair.instruction} {told.pair.answer}."


Spoil = Callable[[Told], str | Completion]
WAYS: dict[str, Spoil] = {
    "one word over and over": lambda t: f"{_half(t.text)} It was a very{' very' * 120}.",
    "one phrase over and over": lambda t: f"{t.pair.instruction.rstrip('?.')}: so they told it. " * 20,
    "one paragraph four times": lambda t: "\n\n".join([t.text] * 4),
    "one sentence with another number": _varied,
    "the task retold": _about_the_task,
    "the prompt pasted": lambda t: "\n\n".join(message.content for message in t.prompt.messages),
    "the prompt's rules": lambda t: t.prompt.messages[-1].content.split("What the text must do")[-1],
    "labels": _labels,
    "about something else": lambda t: _IDLE,
    "another pair's context": lambda t: t.other_text,
    "that, with the answer put in": lambda t: f"{_half(t.other_text)} {t.pair.answer}. {t.other_text[-300:]}",
    "question and answer pasted": _asked_twice,
    "the answer first": lambda t: f"{t.pair.answer}.\n\n{_IDLE}",
    "a refusal": lambda t: f"I'm sorry, but I can't help with that request. {_half(_IDLE)}",
    "thoughts without an end": lambda t: f"<think>{_thinking_aloud(t)} Context: {t.text}",
    "thoughts as text": _thinking_aloud,
    "cut off": lambda t: Completion("", f"Context: {_half(t.text)}", "length"),
    "in another language": lambda t: _STRANGE,
    "a list of orders": lambda t: "\n".join((f"How to write it: {t.pair.instruction}", *_ORDERS)),
    "the chat goes on": lambda t: (
        f"{t.text}<|im_end|>\n<|im_start|>user\nNow make it longer.<|im_end|>\n{_IDLE}"
    ),
}


def pairs_told() -> list[Told]:
    """Ten pairs of ours with their texts and those of a neighbour."""
    rows = [json.loads(line) for line in OWN.read_text("utf-8").splitlines()]
    chosen = [rows[place] for place in _CHOSEN]
    return [
        Told(pair := _pair(row), row["context"], _pair(other), other["context"], _prompt(pair, 150))
        for row, other in zip(chosen, (*chosen[3:], *chosen[:3]), strict=True)
    ]


def _pair(row: dict[str, str]) -> Pair:
    return Pair(instruction=row["instruction"], answer=row["answer"], task=row.get("task", "generic"))


def _prompt(pair: Pair, words: int) -> Prompt:
    template = load_template("narrative")
    return build_prompt(pair, template, words=words, engine="e", model="m", sampling=Sampling())


def verdict(pair: Pair, prompt: Prompt, reply: Completion, least: float = 0.0) -> str:
    """Why a reply would be rejected, in a word; empty where it would be taken. Mild faults do not count."""
    outcome = parse(reply, prompt, engine="e", model="m", seed=0)
    if isinstance(outcome, Rejected):
        return fault_of(outcome, reply, prompt).name
    return next(iter(faults(outcome, pair, prompt, least)), "")


def faults(context: Context, pair: Pair, prompt: Prompt, least: float = 0.0) -> Iterator[str]:
    """The names of the faults for which a context is rejected."""
    found = inspect(context, pair, prompt)
    yield from (fault.name for fault in found.faults if fault.fatal)
    if found.coherence.overall < least:
        yield "overall"


def _completion(said: str | Completion) -> Completion:
    return said if isinstance(said, Completion) else Completion("", f"Context: {said}")


def spoilt(least: float) -> None:
    """Print for each way how many of its texts are accepted, and why the others are not."""
    told, total = pairs_told(), 0
    print(f"| spoilt by | accepted of {len(told)} | rejected for |\n|---|---|---|")
    for name, spoil in WAYS.items():
        reasons = Counter(verdict(one.pair, one.prompt, _completion(spoil(one)), least) for one in told)
        accepted = reasons.pop("", 0)
        total += accepted
        print(f"| {name} | {accepted} | {_listed(reasons)} |")
    print(f"| all {len(WAYS) * len(told)} | {total} ({total / len(WAYS) / len(told):.1%}) | |")
    good = Counter(verdict(one.pair, one.prompt, _completion(one.text), least) for one in told)
    print(f"| the good texts | {good.pop('', 0)} | {_listed(good)} |\n")


def people(folder: Path, name: str, least: float, of: Callable[[int], bool]) -> None:
    """Print how many of people's contexts are rejected for their own pair, and for another's."""
    rows = list(_rows(folder, name))
    for what, shift in (("own", 0), ("another's", 37)):
        reasons: Counter[str] = Counter()
        places = [place for place in range(len(rows)) if of(place)]
        for place in places:
            pair, text = rows[place][0], rows[(place + shift) % len(rows)][1]
            prompt = _prompt(pair, len(text.split()))
            reasons[next(faults(Context(pair.id, text), pair, prompt, least), "")] += 1
        rejected = len(places) - reasons.pop("", 0)
        share = f"{rejected} of {len(places)} ({rejected / len(places):.1%})"
        print(f"| {name}, {what} | {share} | {_listed(reasons)} |")


def _rows(folder: Path, name: str) -> Iterator[tuple[Pair, str]]:
    files = [folder / kind / f"{name}.jsonl" for kind in ("seed_instruction", "seed_context")]
    for pair, context in zip(*(file.read_text("utf-8").splitlines() for file in files), strict=False):
        # The set writes its line breaks as a word.
        yield _pair(json.loads(pair)), json.loads(context)["context"].replace("NEWLINE_CHAR", "\n")


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in reasons.most_common())


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    data = parser.parse_args(given).data
    for least in (0.0, LEAST):
        print(f"scores from {least} on\n")
        spoilt(least)
    if not data.is_dir():
        return
    for least in (0.0, LEAST):
        for half, rest in (("chosen on", 0), ("measured on", 1)):
            print(f"scores from {least} on, the half that bounds were {half}\n")
            print("| | rejected | for |\n|---|---|---|")
            for name in ("hotpotqa", "multinews", "2wikiqa_first100"):
                people(data, name, least, lambda place, rest=rest: place % 2 == rest)  # type: ignore[misc]
            print()


if __name__ == "__main__":
    main()

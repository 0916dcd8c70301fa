"""A result as code: what to run on one's own machine to get the very same text.

Exact for the composer; with a model it is the same request, whose reply the model may word
differently. Everything a visitor wrote stands in it as a JSON or Python literal on one line,
inside a quoted here-document where a shell reads it. Knows nothing of HTML.
"""

from __future__ import annotations

import json
from typing import Final

from space.making.engines import PROVIDERS, PROVIDERS_URL
from space.making.inputs import Inputs
from space.making.writing import ANY_TASK

_TEMPLATE: Final = "my_template.txt"


def python_code(inputs: Inputs) -> str:
    """A Python program that prints the text shown on the page."""
    alone = inputs.budget is None or inputs.distractors == "none"
    names = [
        "Pair",
        *(["assemble"] if inputs.budget else []),
        *([] if alone else ["read_pairs"]),
        "synthesize",
    ]
    lines = ["from builder.resources import example_pairs"] if not alone else []
    lines += [f"from synthesis import {', '.join(names)}", ""]
    if inputs.template:
        lines = ["from pathlib import Path", "", *lines]
        lines += [f"Path({_TEMPLATE!r}).write_text({inputs.template!r}, encoding='utf-8')"]
    lines += [
        "pair = Pair(",
        f"    instruction={inputs.instruction!r},",
        f"    answer={inputs.answer!r},",
        f"    task={inputs.task!r},",
        ")",
    ]
    if alone:
        lines.append("pairs = [pair]")
    elif inputs.distractors == "same-task":
        lines.append("others = [other for other in read_pairs(example_pairs()) if other.task == pair.task]")
    else:
        lines.append(f"others = list(read_pairs(example_pairs()))[::{ANY_TASK}]")
    if not alone:
        lines.append("pairs = [pair, *(other for other in others if other.id != pair.id)]")
    if alone or not inputs.asks_model:
        lines.append(f"contexts = list(synthesize(pairs, {', '.join(_writing(inputs))}))")
    else:  # the page, too, asks the model for one context only
        lines.append(f"contexts = list(synthesize([pair], {', '.join(_writing(inputs))}))")
        lines.append(f"contexts += synthesize(pairs[1:], words={inputs.words}, seed={inputs.seed})")
    if inputs.budget is None:
        lines.append("print(contexts[0].text)")
    else:
        lines += [
            f"samples = assemble(list(zip(pairs, contexts)), {', '.join(_assembling(inputs))})",
            "print(next(samples).messages[0].content)",
        ]
    return "\n".join(lines) + "\n"


def command_line(inputs: Inputs) -> str:
    """The same with ``context-synthesis run``, as lines for a shell.

    With a model it writes the one context and leaves the other documents out: the command would
    have the model write those as well.
    """
    row = {"task": inputs.task, "instruction": inputs.instruction, "answer": inputs.answer}
    pair = json.dumps(row)  # ASCII: no shell or terminal can misread it
    alone = inputs.budget is None or inputs.distractors == "none" or inputs.asks_model
    lines: list[str] = []
    if inputs.template:
        lines += ["python - <<'END'", f"text = {json.dumps(inputs.template)}"]
        lines += [f"open({_TEMPLATE!r}, 'w', encoding='utf-8').write(text)", "END"]
    if alone:
        lines += ["cat > pairs.jsonl <<'END'", pair, "END"]
    else:
        chosen = "if other['task'] == pair['task']" if inputs.distractors == "same-task" else ""
        step = "" if chosen else f"[::{ANY_TASK}]"
        lines += [
            "python - > pairs.jsonl <<'END'",
            "import json",
            "from builder.resources import example_pairs",
            f"pair = json.loads({pair!r})",
            f"rows = [json.loads(line) for line in open(example_pairs(), encoding='utf-8')]{step}",
            f"others = [other for other in rows {chosen}]" if chosen else "others = rows",
            "print(*map(json.dumps, [pair, *(other for other in others if other != pair)]), sep='\\n')",
            "END",
        ]
    return (
        "\n".join(
            [*lines, " \\\n    ".join(["context-synthesis run --pairs pairs.jsonl", *_options(inputs)])]
        )
        + "\n"
    )


def is_exact(inputs: Inputs) -> bool:
    """Whether the code gives the same text, and not only makes the same request."""
    return not inputs.asks_model


def _writing(inputs: Inputs) -> list[str]:
    given = [f"words={inputs.words}", f"seed={inputs.seed}"]
    if inputs.mode != "woven":
        given.append(f"mode={inputs.mode!r}")
    if inputs.engine == PROVIDERS:
        given = ["'openai'", f"model={inputs.model!r}", *given]
        given += [f"base_url={PROVIDERS_URL!r}", "api_key_env='HF_TOKEN'"]
    elif inputs.asks_model:
        given = [repr(inputs.engine), f"model={inputs.model!r}", *given]
    if inputs.template:
        given.append(f"template={_TEMPLATE!r}")
    return given


def _assembling(inputs: Inputs) -> list[str]:
    return [
        repr(inputs.length),
        f"depth={inputs.depth}",
        f"distractors={inputs.distractors!r}",
        f"seed={inputs.seed}",
    ]


def _options(inputs: Inputs) -> list[str]:
    engine = "openai" if inputs.engine == PROVIDERS else inputs.engine
    given = [f"--engine {engine} --model {inputs.model}"] if inputs.asks_model else []
    if inputs.engine == PROVIDERS:
        given.append(f"--option base_url={PROVIDERS_URL} --option api_key_env=HF_TOKEN")
    if inputs.mode != "woven":
        given.append(f"--option mode={inputs.mode}")
    if inputs.template:
        given.append(f"--template {_TEMPLATE}")
    given.append(f"--words {inputs.words} --seed {inputs.seed}")
    if inputs.budget is not None:
        others = "none" if inputs.asks_model else inputs.distractors
        given.append(f"--lengths {inputs.length} --depth {inputs.depth} --distractors {others}")
    given.append("--out runs/from-the-page")
    return given

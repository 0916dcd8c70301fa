"""Open the dataset folder of a run, or any other, with plain ``datasets`` and print what is in it.

python examples/look.py runs/composer
"""

import sys
import textwrap
from pathlib import Path

import datasets


def main(folder: str) -> None:
    """Print rows and columns of every config, then one chat sample, shortened."""
    datasets.disable_progress_bars()
    if (inside := Path(folder, "dataset")).is_dir():  # of a run
        folder = str(inside)
    names = [name for name in datasets.get_dataset_config_names(folder) if "-v" not in name]
    loaded = {name: datasets.load_dataset(folder, name, split="train") for name in names}
    for name, rows in loaded.items():
        print(f"{name:28} {rows.num_rows:6,} rows   {', '.join(rows.column_names[:6])}, ...")
    chats = [name for name in names if "-chat-" in name]
    if not chats:
        return
    sample = loaded[chats[0]][0]
    user, assistant = sample["messages"]
    start, end = sample["evidence_start"], sample["evidence_end"]
    tokens, budget, depth = sample["tokens"], sample["budget"], sample["depth"]
    print(f"\nOne sample of {chats[0]}: {tokens:,} of {budget:,} tokens, task {sample['task']}, with")
    print(f"{len(sample['documents'])} documents, the pair's own at depth {depth:.2f}. That one begins\n")
    print(_shortened(user["content"][start:end], 900))
    print("\nand the conversation ends\n")
    print(_shortened(user["content"].rsplit("\n\n", 1)[-1], 400))
    print(f"\n    assistant: {_shortened(assistant['content'], 300).lstrip()}")


def _shortened(text: str, limit: int) -> str:
    text = text if len(text) <= limit else text[: text.rfind(" ", 0, limit)] + " ..."
    paragraphs = (textwrap.fill(part, 96) for part in text.split("\n\n"))
    return textwrap.indent("\n\n".join(paragraphs), "    ")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

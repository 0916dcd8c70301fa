"""Questions on disk, read when they are asked for: contexts of a benchmark are too much to keep in memory."""

from __future__ import annotations

import pickle
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields

from synthesis.assembly.record_file import RecordFile
from synthesis.data import Context, Pair
from synthesis.evaluation.conditions import CONDITIONS, can_be_asked, own_document
from synthesis.evaluation.questions import ContextQuestion
from synthesis.lazy_sequence import OnDemand


class QuestionStore(OnDemand[ContextQuestion]):
    """Questions in a temporary file; those that may be answered at the same length follow one another.

    ``most`` is how long a reply to each may be, in tokens; ``able`` says for each condition how many
    questions can be asked under it, ``wordings`` which templates, systems and tasks there are, ``worded_by``
    how many questions say where theirs is from, ``hidden`` how many have answers that are kept hidden.
    """

    def __init__(
        self, questions: Iterable[ContextQuestion], most_tokens: Callable[[ContextQuestion], int]
    ) -> None:
        """Take all questions in; of each some bytes stay in memory."""
        self._file = RecordFile()
        most = array("L")
        self.wordings: set[tuple[str, str, str]] = set()
        self.worded_by: Counter[str] = Counter()
        self.hidden = 0
        self.able = dict.fromkeys(CONDITIONS, 0)
        for question in questions:
            values = tuple(getattr(question, one.name) for one in fields(question))
            self._file.add(pickle.dumps(values))
            most.append(most_tokens(question))
            self.wordings.add((question.template, question.system, question.task))
            self.worded_by.update([question.wording] if question.wording else [])
            self.hidden += not any(question.answers)
            for condition in CONDITIONS:
                self.able[condition] += can_be_asked(question, condition)
        self._file.flush()
        self._order = array("L", sorted(range(len(most)), key=most.__getitem__))
        self.most = array("L", (most[place] for place in self._order))

    def __len__(self) -> int:
        return len(self._order)

    def read(self, place: int) -> ContextQuestion:
        """The question at a place."""
        return self._unpacked(self._order[place])

    def _unpacked(self, number: int) -> ContextQuestion:
        names = (one.name for one in fields(ContextQuestion))
        values = pickle.loads(self._file[number])  # what we wrote ourselves
        return ContextQuestion(**dict(zip(names, values, strict=True)))

    def given_as(self, place: int) -> int:
        """The number of the question at a place in the order in which they were given, from 0."""
        return self._order[place]

    def given(self, number: int) -> ContextQuestion:
        """The question that was given as that number."""
        return self._unpacked(number)

    def groups(self) -> Iterator[range]:
        """Runs of places whose replies may be as long as one another's."""
        start = 0
        for place in range(1, len(self) + 1):
            if place == len(self) or self.most[place] != self.most[start]:
                yield range(start, place)
                start = place


class OwnDocuments(OnDemand[tuple[Pair, Context]]):
    """The questions' own documents, as an assembly takes its items."""

    def __init__(self, questions: QuestionStore) -> None:
        self._questions = questions

    def __len__(self) -> int:
        return len(self._questions)

    def read(self, place: int) -> tuple[Pair, Context]:
        """A question as a pair, and its own document as that pair's context."""
        question = self._questions.read(place)
        text, evidence = own_document(question)
        # Questions over one and the same text may share their id; the pair's tells them apart.
        pair = Pair("", question.instruction, question.answer, question.task)
        return pair, Context(pair.id, text, evidence)

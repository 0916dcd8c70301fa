"""Read a wh-question into a frame: what is asked, and the statement with a gap around it.

The question word opens the question (``Who directed X?``, ``In what town ...?``) or stands where
the answer goes (``X lies in which town?``). Knows the question only, never the answer. A question
that cannot be read with confidence has no frame, and the caller uses a plain form instead.
"""

from __future__ import annotations

import re
from dataclasses import replace

from synthesis.engines.composer.grammar.clauses import Clause, finite_verb, gapless, plural_verb, uninvert
from synthesis.engines.composer.grammar.phrases import (
    is_adverb,
    is_name,
    is_possessive,
    noun_phrase_end,
    tokens_of,
)
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    BE,
    COMPARATIVES,
    DETERMINERS,
    DO,
    HAVE,
    MODALS,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    WH,
    base_of_third,
    core,
    is_adjective,
    is_base,
    is_ing,
    is_only_past,
    is_participle,
    is_past,
    third_person,
)
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.answers import names_person
from synthesis.engines.composer.reading.counts import read_count
from synthesis.engines.composer.reading.fragments import read_fragment
from synthesis.engines.composer.reading.frames import SIZES, Frame, offered, split_choices
from synthesis.engines.composer.reading.midway import read_midway

_ADJUNCT_STARTS = PREPOSITIONS | word_class("adjunct_starts")
_QUALITIES = word_class("qualities")
_RANKS = word_class("ranks")
_INVERTING = word_class("inverting")


def read(question: str) -> Frame | None:
    """The frame of a cleaned wh-question, or None where no reading is sure enough."""
    if "?" in question.rstrip('"”') or re.search(r"\bQ\d", question):
        return None
    preamble = re.match(r"(?P<told>[^;]+;) (?P<asked>[^;]+)$", question)
    if preamble and _starts_with_wh(tokens_of(preamble["asked"])):
        frame = read(preamble["asked"])
        return replace(frame, lead=preamble["told"]) if frame and not frame.lead else None
    question, choices = split_choices(question)
    if choices is None:
        question, choices = offered(question)
    tokens = tokens_of(question)
    lead = ""
    split = _lead_end(tokens)
    if split:
        lead, tokens = " ".join(tokens[:split]).rstrip(","), tokens[split:]
    if len(tokens) < 2:
        return None
    fronted = _starts_with_wh(tokens)
    frame = read_fronted(tokens) or (None if fronted else read_midway(tokens) or read_fragment(question))
    if frame is None:
        return None
    return replace(frame, lead=lead, choices=choices)


def _starts_with_wh(tokens: list[str]) -> bool:
    behind = len(tokens) > 1 and core(tokens[0]) in PREPOSITIONS and core(tokens[1]) in WH
    return core(tokens[0]) in WH or behind


def _lead_end(tokens: list[str]) -> int:
    """Where the question proper starts when an adjunct stands before it, else 0."""
    if len(tokens) < 4 or core(tokens[0]) not in _ADJUNCT_STARTS:
        return 0
    if core(tokens[0]) == "when":
        ends = (
            at for at in range(3, len(tokens) - 1) if core(tokens[at]) in WH and tokens[at - 1].endswith(",")
        )
        return next(ends, 0)
    if _starts_with_wh(tokens):
        return 0
    for at in range(1, len(tokens) - 1):
        if core(tokens[at]) in WH and core(tokens[at]) != "when":
            if tokens[at - 1].endswith(","):
                return at
            if core(tokens[at - 1]) in PREPOSITIONS and at > 1 and tokens[at - 2].endswith(","):
                return at - 1
            follows = core(tokens[at + 1])
            return (
                at
                if follows in AUXILIARIES and core(tokens[at]) in ("what", "who") and at > 2
                else _comma(tokens, at)
            )
    return 0


def _comma(tokens: list[str], before: int) -> int:
    """The first comma boundary of an adjunct in front of a mid-sentence question word."""
    return next((at for at in range(2, before) if tokens[at - 1].endswith(",")), 0) if before > 3 else 0


def read_fronted(tokens: list[str]) -> Frame | None:
    """Questions whose question word, possibly behind a preposition, comes first."""
    preposition = ""
    if core(tokens[0]) in PREPOSITIONS and len(tokens) > 2 and core(tokens[1]) in WH:
        preposition, tokens = core(tokens[0]), tokens[1:]
    wh = core(tokens[0])
    if wh not in WH or len(tokens) < 2:
        return None
    rest = tokens[1:]
    if preposition and wh in ("what", "which"):
        sited = _sited_copula(wh, rest, preposition)
        if sited:
            return sited
    turned = _verb_first(wh, rest, preposition)
    if turned:
        return turned
    if wh == "how" and core(rest[0]) not in AUXILIARIES:
        return _how(rest, preposition)
    if wh in ("where", "when", "why", "how") or (wh in ("who", "whom") and preposition):
        auxiliary = core(rest[0])
        clause = uninvert(auxiliary, rest[1:]) if auxiliary in AUXILIARIES else None
        if clause is None and auxiliary in BE and len(rest) > 1 and wh in ("where", "when", "how"):
            return _copula(wh, auxiliary, rest[1:])
        if clause is None and auxiliary in BE and wh == "why":
            clause = _quality(auxiliary, rest[1:])
        return Frame(wh, "object", "", preposition, clause, past=clause.past) if clause else None
    if wh == "what" and rest[2:] and [*map(core, rest[:2])] == ["happened", "to"]:
        return Frame(wh, "happened", clause=Clause(" ".join(rest[2:]), "", True), past=True)
    if wh in ("who", "whom") or (
        wh in ("what", "which") and core(rest[0]) in AUXILIARIES | {"happens", "happened"}
    ):
        return _pronoun(wh, rest, preposition)
    if wh == "which" and len(rest) > 1 and rest[0][:1].islower() and is_past(core(rest[0])):
        ranked = core(rest[1]) in _RANKS or is_adverb(rest[1]) or core(rest[1]) in COMPARATIVES
        if ranked or core(rest[1]) in PREPOSITIONS:
            return Frame(wh, "subject", predicate=" ".join(rest), past=True)
    if wh == "what" and (is_only_past(core(rest[0])) or _plain_verb(rest)):
        return Frame(wh, "subject", predicate=" ".join(rest), past=is_past(core(rest[0])))
    return _determiner(wh, rest, preposition)


def _quality(auxiliary: str, tokens: list[str]) -> Clause | None:
    """``the sky | blue``: behind ``why is`` the last word tells what the others are, whatever its kind."""
    if len(tokens) < 2 or any(core(token) in RELATIVES for token in tokens):
        return None
    last, before = tokens[-1], core(tokens[-2])
    if not last.islower() or before in DETERMINERS | PREPOSITIONS or core(last) in PREPOSITIONS | PRONOUNS:
        return None
    return Clause(" ".join(tokens[:-1]), f"{auxiliary} {last}", auxiliary in ("was", "were"))


def _sited_copula(wh: str, rest: list[str], preposition: str) -> Frame | None:
    """``In what ocean is the island ...``: a whole noun phrase said to be in the gap."""
    at = next((i for i in range(1, min(len(rest), 6)) if core(rest[i]) in BE), None)
    if at is None or at + 1 >= len(rest) or uninvert(core(rest[at]), rest[at + 1 :]) is not None:
        return None
    frame = _copula(wh, core(rest[at]), rest[at + 1 :])
    if frame is None:
        return None
    return Frame(wh, "copula", " ".join(rest[:at]), preposition, frame.clause, past=frame.past)


def _verb_first(wh: str, rest: list[str], preposition: str) -> Frame | None:
    """``Into which sea flows the river ...``, ``Where stands the mill ...``: the subject comes last."""
    bare = wh in ("where", "whom") or (preposition and wh == "what")
    ends = range(1) if wh == "where" else range(0 if bare else 1, min(len(rest) - 1, 5))
    if not (preposition or wh == "where"):
        return None
    at = next((at for at in ends if core(rest[at]) in _INVERTING), None)
    if at is None or any(core(token) in AUXILIARIES for token in rest[:at]):
        return None
    if at + 1 >= len(rest) or not _opens_subject(rest[at + 1 :]):
        return None
    verb = core(rest[at])
    clause = Clause(" ".join(rest[at + 1 :]), verb, is_past(verb) and not is_base(verb))
    return Frame(wh, "object", " ".join(rest[:at]), preposition, clause, past=clause.past)


def _plain_verb(rest: list[str]) -> bool:
    word = core(rest[0])
    following = core(rest[1]) if len(rest) > 1 else ""
    named = len(rest) > 1 and is_name(rest[1])
    opens = named or following in DETERMINERS or following in PREPOSITIONS
    third = base_of_third(word) is not None and named
    third = third or base_of_third(word) is not None and following in PREPOSITIONS
    return (third or (is_past(word) and not is_base(word) and opens)) and following not in AUXILIARIES


def _pronoun(wh: str, rest: list[str], preposition: str) -> Frame | None:
    """``who`` or ``what`` standing alone."""
    auxiliary = core(rest[0])
    after = rest[1:]
    if auxiliary not in AUXILIARIES:
        finite = (
            is_past(auxiliary) or rest[0][:1].islower() and (auxiliary.endswith("s") or is_base(auxiliary))
        )
        if not finite and not (len(rest) > 1 and is_adverb(rest[0])):
            return None
        if rest[0] == auxiliary and is_base(auxiliary) and not is_past(auxiliary):
            rest = [third_person(auxiliary), *after]  # "who sing the song"
        return Frame(wh, "subject", predicate=" ".join(rest), past=is_past(auxiliary))
    if not after:
        return None
    if auxiliary in DO:
        if core(after[0]) == "not" and len(after) > 1 and is_base(core(after[1])):
            return Frame(wh, "subject", predicate=" ".join(rest), past=auxiliary == "did")
        clause = uninvert(auxiliary, after)
        if clause is None and wh == "who" and (core(after[0]) in DETERMINERS or is_possessive(after[0])):
            return Frame(
                wh, "subject", predicate=" ".join(rest), past=auxiliary == "did"
            )  # "did the singing"
        return Frame(wh, "object", "", preposition, clause, past=clause.past) if clause else None
    # "What is a tender" asks for a definition; "who is a tender" for a person.
    indefinite = core(after[0]) in ("a", "an") and (wh == "what" or auxiliary in MODALS)
    if not indefinite and _starts_predicate(after, auxiliary):
        return Frame(wh, "subject", predicate=" ".join(rest), past=auxiliary in ("was", "were", "had"))
    clause = uninvert(auxiliary, after)
    if clause and wh == "who" and auxiliary in BE and _sits(clause):
        return _copula(wh, auxiliary, after)
    ranked = wh == "who" and _RANKED.match(" ".join(after)) and core(after[-1]) not in PREPOSITIONS
    if clause and not (auxiliary in BE and (gapless(clause) or ranked)):
        return Frame(wh, "object", "", preposition, clause, past=clause.past)
    return _copula(wh, auxiliary, after) if auxiliary in BE else None


def _sits(clause: Clause) -> bool:
    """Whether ``who is Edmund on the show`` says where somebody is seen, and asks who that is."""
    tokens = clause.predicate.split()
    whole = len(tokens) > 2 and core(tokens[-1]) not in PREPOSITIONS
    said = core(tokens[1]) if whole else ""
    verbal = (
        is_participle(said) or is_ing(said) or is_adjective(said) or said in DETERMINERS or is_adverb(said)
    )
    return whole and (
        said in ("in", "on", "from") or not verbal and said not in PREPOSITIONS and said.isalpha()
    )


# "Who was the first child born there" asks for the child.
_RANKED = re.compile(r"(?:the|one of the) (?:first|second|third|last|only|\w+est|most|least)\b", re.I)


def _starts_predicate(after: list[str], auxiliary: str) -> bool:
    """Whether the words behind ``who is`` go on with the predicate rather than with a subject."""
    word = core(after[0])
    if is_name(after[0]) and not after[0][:1].isdigit():
        return False
    if word in ("a", "an", "not") or is_adverb(after[0]) or (word in PREPOSITIONS and word != "that"):
        return True
    if auxiliary in MODALS:
        return is_base(word) and not is_possessive(after[0])
    if auxiliary in HAVE:
        return is_participle(word) or word in ("more", "the", "most", "fewer", "had")
    if word in ("more", "less", "considered"):
        return True
    return (is_participle(word) or is_ing(word) or is_adjective(word)) and word not in DETERMINERS | PRONOUNS


def _copula(wh: str, auxiliary: str, after: list[str]) -> Frame | None:
    """``What is the name of the ship``: a whole noun phrase, the verb, and the gap."""
    if re.search(r"\b(?:and|or) (?:why|how|when|where|what)\b", " ".join(after)):
        return None
    last = core(after[-1])
    if wh in ("where", "when") and any(is_participle(core(t)) and not is_past(core(t)) for t in after):
        return None
    if any(core(token) == "like" for token in after):
        return None  # "what was the weather like"
    starts = core(after[0]) in DETERMINERS or is_name(after[0]) or core(after[0]) in PRONOUNS
    if not starts and not re.search(r"['’]s?$", after[0]) and len(after) > 1 and wh != "how":
        starts = any(core(token) in ("of", "in") for token in after)
    starts = starts or wh in ("what", "who") and len(after) > 1 and any(map(is_possessive, after[:3]))
    # A preposition at the end is left hanging by the gap unless a clause inside the phrase owns it.
    inside = any(
        base_of_third(core(t)) or is_past(core(t)) or core(t) in AUXILIARIES
        for t in after[1:-1]
        if t[:1].islower()
    )
    if not starts or (last in PREPOSITIONS and not inside):
        return None
    clause = Clause(" ".join(after), auxiliary, auxiliary in ("was", "were"))
    return Frame(wh, "copula", clause=clause, past=clause.past)


def _how(rest: list[str], preposition: str) -> Frame | None:
    """``how many N``, ``how much``, ``how long``, ``how old`` ..."""
    at = next((i for i, token in enumerate(rest) if core(token) in AUXILIARIES and i > 0), None)
    wh = "how " + core(rest[0])
    counted = read_count(rest)
    if counted:
        return counted
    if core(rest[0]) in ("come",):
        return None
    if at is None or (core(rest[at - 1]) in RELATIVES):
        verb = finite_verb(rest, 2) or plural_verb(rest)
        if core(rest[0]) not in ("many", "much") or not verb:
            return None
        return Frame(wh, "subject", " ".join(rest[1:verb]), preposition, predicate=" ".join(rest[verb:]))
    noun = " ".join(rest[1:at])
    auxiliary, after = core(rest[at]), rest[at + 1 :]
    if not after:
        return None
    if auxiliary not in DO and core(rest[0]) in ("many", "much") and _starts_predicate(after, auxiliary):
        return Frame(
            wh, "subject", noun, preposition, predicate=" ".join(rest[at:]), past=auxiliary in ("was", "were")
        )
    clause = None if wh in SIZES and auxiliary in BE and at == 1 else uninvert(auxiliary, after)
    if clause:
        return Frame(wh, "object", noun, preposition, clause, past=clause.past)
    if auxiliary in BE and core(rest[0]) != "many":
        frame = _copula(wh, auxiliary, after)
        return Frame(wh, "copula", noun, clause=frame.clause, past=frame.past) if frame else None
    return None


def _determiner(wh: str, rest: list[str], preposition: str) -> Frame | None:
    """``which``, ``what`` or ``whose`` with a noun."""
    verb = finite_verb(rest) or plural_verb(rest)
    while verb and verb > 1 and is_adverb(rest[verb - 1]) and core(rest[verb]) not in AUXILIARIES:
        verb -= 1
    if verb is None or core(rest[verb - 1]) in ("and", "or", "number") or core(rest[0]) == "number":
        return None
    noun, after, auxiliary = " ".join(rest[:verb]).rstrip(","), rest[verb + 1 :], core(rest[verb])
    if not after and auxiliary in AUXILIARIES:
        return None
    if auxiliary not in AUXILIARIES:
        if preposition:
            return None
        finite = next((core(token) for token in rest[verb:] if not is_adverb(token)), auxiliary)
        return Frame(wh, "subject", noun, predicate=" ".join(rest[verb:]), past=is_past(finite))
    kind = core(rest[0]) in ("type", "kind", "sort")
    if auxiliary in BE and not preposition and (core(noun) in _QUALITIES or kind):
        described = _copula(wh, auxiliary, after)
        if described and uninvert(auxiliary, after) is None:
            return replace(described, noun=noun) if kind else described
        if kind and core(rest[1]) == "of" and not _verb_inside(after):
            hanging = after[-1] if core(after[-1]) in PREPOSITIONS else ""
            said = f"{auxiliary} {hanging}".strip()
            subject = " ".join(after[:-1] if hanging else after)
            return Frame(wh, "copula", noun, clause=Clause(subject, said, auxiliary in ("was", "were")))
    if core(rest[0]) in ("percentage", "proportion", "share") and auxiliary in BE and not preposition:
        return Frame(wh, "subject", noun, predicate=" ".join(rest[verb:]), past=auxiliary in ("was", "were"))
    if auxiliary in DO or preposition:
        clause = uninvert(auxiliary, after)
        return Frame(wh, "object", noun, preposition, clause, past=clause.past) if clause else None
    past = auxiliary in ("was", "were", "had")
    if _starts_predicate(after, auxiliary) or core(after[0]) == "both":
        return Frame(wh, "subject", noun, predicate=" ".join(rest[verb:]), past=past)
    clause = uninvert(auxiliary, after)
    if clause and _opens_subject(after):
        return Frame(wh, "object", noun, preposition, clause, past=clause.past)
    if auxiliary in BE and _describes(noun, after):
        return Frame(wh, "subject", noun, predicate=" ".join(rest[verb:]), past=past)
    return None


def _verb_inside(after: list[str]) -> bool:
    """Whether there is a verb in what a kind is asked of, as of nothing that has a plain name."""
    return any(
        core(token) in AUXILIARIES or is_participle(core(token)) and token[:1].islower()
        for token in after[1:]
    )


def _describes(noun: str, after: list[str]) -> bool:
    """Whether ``which actor was the first to ...`` says what the noun is, not where something is."""
    if core(after[-1]) in PREPOSITIONS or noun_phrase_end(after) == 0:
        return False
    second = core(after[1]) if len(after) > 1 else ""
    person = names_person(noun) or re.search(r"(?:[^\W\d_]{3}(?:er|or|ist|ian|man|woman))$", noun)
    third = core(after[2]) if len(after) > 3 else ""
    titled = core(after[0]) == "the" and third == "of" and not re.search(r"^(?:of|one of)\b", noun)
    return bool(person) or titled or second in _RANKS or second.endswith("est")


def _opens_subject(after: list[str]) -> bool:
    return is_name(after[0]) or core(after[0]) in DETERMINERS | PRONOUNS or is_possessive(after[0])

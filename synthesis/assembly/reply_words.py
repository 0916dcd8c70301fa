"""The few wordings of answers that quote or reason, by language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from synthesis.engines.composer.reading.languages import language_of


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """Wordings of a language; ``{n}`` is a document's number, ``{q}`` a quote, ``{name}`` a name.

    ``ask_cited`` and ``ask_reasoned`` are what the user asks for besides the answer. The first step has
    one of ``first``, others ``further``; ``about`` follows a step that found a name which the next goes on
    with, ``chain`` opens the chain of keys to a hidden question. ``beside`` and ``whole`` close what is
    compared, and what is given in parts.
    """

    ask_cited: str
    ask_reasoned: str
    first: tuple[str, ...]
    further: tuple[str, ...]
    about: tuple[str, ...]
    chain: tuple[str, ...]
    beside: tuple[str, ...]
    whole: tuple[str, ...]
    answer: str = "Answer:"
    space: str = " "


_ENGLISH: Final = ReplyWords(
    ask_cited="Below the answer, quote what shows it: each quote in a line of its own, behind the "
    "number of its document in brackets.",
    ask_reasoned="First go through the documents step by step: name the numbers of those that matter, and "
    'quote them. Then give the answer behind "Answer:".',
    first=(
        "Document {n} says: {q}",
        "In document {n} it says: {q}",
        "What matters stands in document {n}: {q}",
        "Document {n} has this: {q}",
    ),
    further=(
        "It also says: {q}",
        "The same document says: {q}",
        "And in another place: {q}",
        "Also there: {q}",
    ),
    about=("So it is about {name}.", "That is {name}.", "So the one to look for is {name}."),
    chain=("The chain of keys goes: {q}", "Following the keys: {q}", "From key to key: {q}"),
    beside=("Set beside each other, these decide it.", "The two together settle it."),
    whole=("Taken together, that is the answer.", "These parts make up the answer."),
)
_OTHERS: Final = {
    "de": ReplyWords(
        ask_cited="Zitiere unter der Antwort, was sie belegt: jedes Zitat in einer eigenen Zeile, hinter "
        "der Nummer seines Dokuments in Klammern.",
        ask_reasoned="Geh die Dokumente zuerst Schritt für Schritt durch: nenne die Nummern derer, auf die "
        "es ankommt, und zitiere sie. Gib dann die Antwort hinter „Antwort:“.",
        first=("In Dokument {n} steht: {q}", "Dokument {n} sagt: {q}"),
        further=("Dort steht auch: {q}", "An anderer Stelle: {q}"),
        about=("Es geht also um {name}.",),
        chain=("Von Schlüssel zu Schlüssel: {q}",),
        beside=("Nebeneinander gehalten entscheiden diese Stellen.",),
        whole=("Zusammen ist das die Antwort.",),
        answer="Antwort:",
    ),
    "fr": ReplyWords(
        ask_cited="Sous la réponse, citez ce qui la montre : chaque citation sur une ligne à part, derrière "
        "le numéro de son document entre crochets.",
        ask_reasoned="Parcourez d'abord les documents pas à pas : nommez les numéros de ceux qui comptent, "
        "et citez-les. Donnez ensuite la réponse derrière « Réponse : ».",
        first=("Le document {n} dit : {q}", "On lit dans le document {n} : {q}"),
        further=("On y lit aussi : {q}", "Et ailleurs : {q}"),
        about=("Il s'agit donc de {name}.",),
        chain=("De clé en clé : {q}",),
        beside=("Mis côte à côte, ces passages en décident.",),
        whole=("Pris ensemble, c'est la réponse.",),
        answer="Réponse :",
    ),
    "es": ReplyWords(
        ask_cited="Debajo de la respuesta, cita lo que la muestra: cada cita en una línea aparte, tras el "
        "número de su documento entre corchetes.",
        ask_reasoned="Recorre primero los documentos paso a paso: nombra los números de los que importan y "
        "cítalos. Da después la respuesta tras «Respuesta:».",
        first=("El documento {n} dice: {q}", "En el documento {n} se lee: {q}"),
        further=("Allí también se lee: {q}", "Y en otro lugar: {q}"),
        about=("Se trata, pues, de {name}.",),
        chain=("De clave en clave: {q}",),
        beside=("Puestos uno al lado del otro, estos pasajes lo deciden.",),
        whole=("Todo junto es la respuesta.",),
        answer="Respuesta:",
    ),
    "zh": ReplyWords(
        ask_cited="在答案下面引用能说明它的原文，每条引文单独一行，前面用方括号写明文档编号。",
        ask_reasoned="先一步一步查看文档，说明相关文档的编号并引用原文；然后在“答案：”后面给出答案。",
        first=("文档 {n} 写道：{q}", "在文档 {n} 中可以读到：{q}"),
        further=("那里还写道：{q}", "另一处：{q}"),
        about=("所以说的是{name}。",),
        chain=("沿着钥匙：{q}",),
        beside=("放在一起比较，就能得出答案。",),
        whole=("合起来就是答案。",),
        answer="答案：",
        space="",
    ),
}


def reply_words(instruction: str) -> ReplyWords:
    """The wordings in an instruction's language; English where there are none."""
    return _OTHERS.get(language_of(instruction), _ENGLISH)

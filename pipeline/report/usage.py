"""How an exported model is used without Headstart: the code that its model card shows."""

import json
from dataclasses import dataclass

from pipeline.models.words import PARTS
from pipeline.report.about import About


@dataclass(frozen=True, kw_only=True)
class Use:
    """`library` is the name that the hub knows it by; `code` runs in the exported directory."""

    library: str
    code: str


_PIPELINE = """from transformers import pipeline

ask = pipeline("{pipeline}", model=".")
ask({given})"""
_WRITER = """from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained("."), AutoTokenizer.from_pretrained(".")
read = tokenizer("…", return_tensors="pt", return_token_type_ids=False)
print(tokenizer.decode(model.generate(**read, max_new_tokens=64)[0], skip_special_tokens=True))"""
_ENCODER = """import torch
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(".")  # its embeddings are the logits, one for each label
logits = torch.from_numpy(model.encode([{given}]))
probabilities = {read}
labels = model[0].auto_model.config.id2label"""
_ONNX = """import json

import numpy as np
from onnxruntime import InferenceSession
from transformers import AutoTokenizer

tokenizer, session = AutoTokenizer.from_pretrained("."), InferenceSession("model.onnx")


def predict({arguments}):
    read = tokenizer({arguments}, padding=True, truncation=True, return_tensors="np")
    (logits,) = session.run(None, {{each.name: read[each.name] for each in session.get_inputs()}})
    {read}


labels = json.load(open("config.json"))["id2label"]
print(labels, predict({given}))"""
_WORDS = """import json

import numpy as np
from safetensors.numpy import load_file
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer

settings = {settings}
vocabulary, labels = json.load(open("vocabulary.json")), json.load(open("labels.json"))
linear, parts = load_file("trained.safetensors"), []
for name, how in settings.items():
    if (part := vocabulary["parts"][name])["terms"]:
        parts.append(TfidfVectorizer(sublinear_tf=True, vocabulary=part["terms"], **how))
        parts[-1].idf_ = np.array(part["idf"])


def count(texts):
    return hstack([part.transform(texts) for part in parts]).tocsr()


def predict({arguments}):
    {features}
    logits = words @ linear["weights"].T + linear["bias"]
    {read}


print(labels, predict({given}))"""
_SIGMOID = "return 1 / (1 + np.exp(-logits))"
_SOFTMAX = """odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)"""


def by_transformers(about: About, prefix: str = "") -> Use:
    """Use through `transformers.pipeline`, or `generate` for a model that writes."""
    if about.pipeline == "translation":  # for which transformers has no pipeline any more
        return Use(library="transformers", code=_WRITER)
    texts = _given(about, prefix)
    given = f'{{"text": {texts[0]}, "text_pair": {texts[1]}}}' if texts[1:] else texts[0]
    if about.pipeline == "text-classification":
        given += ", truncation=True"
    elif about.pipeline == "fill-mask":
        given = '"… [MASK] …"'
    return Use(library="transformers", code=_PIPELINE.format(pipeline=about.pipeline, given=given))


def by_sentence_transformers(about: About, *, sigmoid: bool, prefix: str = "") -> Use:
    """Use through Sentence Transformers.

    Args:
        sigmoid: whether each output is read by itself, instead of a softmax over all of them.
        prefix: what has to be put before every text by whoever uses it.
    """
    texts = _given(about, prefix)
    read = "logits.sigmoid()" if sigmoid else "logits.softmax(dim=1)"
    code = _ENCODER.format(given=f"({', '.join(texts)})" if texts[1:] else texts[0], read=read)
    return Use(library="sentence-transformers", code=code)


def by_onnxruntime(about: About, *, sigmoid: bool, prefix: str = "") -> Use:
    """Use of an ONNX graph; arguments as of `by_sentence_transformers`."""
    code = _ONNX.format(
        arguments=_arguments(about), given=_lists(about, prefix), read=_SIGMOID if sigmoid else _SOFTMAX
    )
    return Use(library="onnx", code=code)


def by_scikit_learn(about: About, *, sigmoid: bool) -> Use:
    """Use of a linear model on counted words, through scikit-learn's TfidfVectorizer."""
    features, read = "words = count(texts)", _SIGMOID if sigmoid else _SOFTMAX
    if about.paired:
        features = "one, other = count(firsts), count(seconds)\n    words = hstack([one, other, "
        features += "one.multiply(other).sqrt()]).tocsr()"
    code = _WORDS.format(settings=PARTS, arguments=_arguments(about), features=features, read=read, given=_lists(about))
    return Use(library="sklearn", code=code)


def _arguments(about: About) -> str:
    return "firsts, seconds" if about.paired else "texts"


def _given(about: About, prefix: str) -> list[str]:
    return [_quoted(f"{prefix}{text}") for text in about.placeholders]


def _lists(about: About, prefix: str = "") -> str:
    return ", ".join(f"[{text}]" for text in _given(about, prefix))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

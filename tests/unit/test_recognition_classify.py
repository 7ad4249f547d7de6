"""A document is what its title says, then what its name says; neither may be read for its opposite."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from casemesh.client.examining.findings import Line
from casemesh.data.dossier_catalogue import load
from casemesh.dossier.recognition.classify import Classifier, Source
from casemesh.dossier.recognition.titles import compact, stem
from tests.support.labelled_dossier import Labelled, labelled, unseen

CLASSIFIER = Classifier(load())


def lines(document: Labelled, *, ocr: bool = False) -> list[Line]:
    if document.kind in ("pdf", "ofd"):
        return [Line(text, 22.0 if number < 2 else 12.0) for number, text in enumerate(document.lines)]
    if document.kind in ("txt", "gb18030") or ocr:
        return [Line(text) for text in document.lines]
    return []


def right(documents: Sequence[Labelled], *, by_text: bool = True) -> float:
    """The share of documents that get the type a person gives them."""
    hits = [
        document
        for document in documents
        if document.expected
        == (CLASSIFIER.classify(document.file_name, lines(document) if by_text else []).type_code or "")
    ]
    return len(hits) / len(documents)


def test_the_labelled_documents_are_right_in_95_of_100_by_name_and_text() -> None:
    assert len(labelled()) >= 200
    assert 0.95 <= right(labelled())


def test_documents_that_no_pattern_was_made_for_are_right_nearly_as_often() -> None:
    assert len(unseen()) >= 50
    assert 0.9 <= right(unseen())


def test_by_name_alone_four_of_five_are_right() -> None:
    assert 0.8 <= right(labelled(), by_text=False)


def test_what_is_none_of_the_types_is_called_none_of_them() -> None:
    others = [document for document in labelled() if not document.expected]
    assert len(others) >= 20
    assert [] == [
        each.file_name for each in others if CLASSIFIER.classify(each.file_name, lines(each, ocr=True)).type_code
    ]


@pytest.mark.parametrize("kind", load().types.values(), ids=lambda kind: kind.code)
def test_every_name_and_alias_is_its_types_own_in_a_name_and_as_a_title(kind: object) -> None:
    for name in (kind.name, *kind.aliases):  # type: ignore[attr-defined]
        expected = kind.code  # type: ignore[attr-defined]
        assert expected == CLASSIFIER.classify(f"012_{name}.pdf").type_code, name
        assert expected == CLASSIFIER.classify("scan01.pdf", [Line("北湖市公安局"), Line(name)]).type_code, name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("批准逮捕决定书.pdf", "E003"),
        ("不批准逮捕决定书.pdf", "E004"),
        ("撤销批准逮捕决定书.pdf", "E008"),
        ("起诉书.pdf", "E023"),
        ("起诉意见书.pdf", "A064"),
        ("补充起诉意见书.pdf", "A065"),
        ("不起诉决定书.pdf", "E033"),
        ("附条件不起诉决定书.pdf", "E034"),
        ("拘留证.pdf", "A029"),
        ("拘留通知书.pdf", "A030"),
        ("拘留决定书.pdf", "E018"),
        ("立案理由说明书.pdf", "A077"),
        ("不立案理由说明书.pdf", "A005"),
        ("要求说明不立案理由通知书.pdf", "E046"),
        ("刑事判决书送达回证.pdf", "R004"),
        ("讯问笔录同步录音录像.pdf", "B058"),
        ("赔偿协议书.pdf", "B036"),
        ("立案决定书(附起诉意见书).pdf", "A003"),
        ("起诉意见书（监委）.pdf", "N001"),
        ("询问笔录(证人).pdf", "B004"),
        ("询问笔录-被害人王某.pdf", "B003"),
        ("不予行政处罚决定书.pdf", None),
        ("拘留证据说明.pdf", None),
        ("逮捕证明.pdf", None),
    ],
)
def test_names_that_are_easily_confused_are_told_apart(name: str, expected: str | None) -> None:
    assert expected == CLASSIFIER.classify(name).type_code


def test_a_title_broken_over_two_lines_is_one() -> None:
    broken = [Line("北湖市公安局", 22), Line("提请批准延长侦查", 22), Line("羁押期限意见书", 22)]
    assert "A037" == CLASSIFIER.classify("a.pdf", broken).type_code


def test_what_the_text_only_mentions_is_not_its_title() -> None:
    mentioned = [Line("北湖市人民检察院", 22), Line("起诉书", 22), Line("本案由北湖市公安局以起诉意见书移送", 12)]
    assert "E023" == CLASSIFIER.classify("a.pdf", mentioned).type_code
    assert None is CLASSIFIER.classify("a.pdf", [Line("经北湖市人民检察院批准，持逮捕证，于昨日执行。")]).type_code


def test_the_text_wins_over_a_name_that_contradicts_it_and_the_reason_says_so() -> None:
    guess = CLASSIFIER.classify("起诉书(终稿).pdf", [Line("北湖市公安局", 22), Line("起诉意见书", 22)])
    assert ("A064", Source.TEXT) == (guess.type_code, guess.source)
    assert "起诉书" in guess.reason
    assert guess.confidence < CLASSIFIER.classify("起诉意见书.pdf", [Line("起诉意见书", 22)]).confidence


def test_a_narrower_type_in_the_name_wins_over_a_generic_title() -> None:
    guess = CLASSIFIER.classify("减刑裁定书.pdf", [Line("北湖市中级人民法院"), Line("刑事裁定书")])
    assert ("G039", Source.NAME) == (guess.type_code, guess.source)


def test_a_title_that_several_types_share_is_not_sure_until_something_tells_them_apart() -> None:
    assert CLASSIFIER.classify("a.pdf", [Line("询问笔录")]).confidence <= 0.5
    told = CLASSIFIER.classify("a.pdf", [Line("询问笔录"), Line("《证人诉讼权利义务告知书》"), Line("被害人是我邻居")])
    assert "B004" == told.type_code
    assert told.confidence > 0.8


def test_what_ocr_reads_counts_for_less_than_a_text_layer() -> None:
    by_ocr = CLASSIFIER.classify("IMG_0001.jpg", [Line("拘留证")], source=Source.OCR)
    by_text = CLASSIFIER.classify("IMG_0001.jpg", [Line("拘留证")])
    assert ("A029", Source.OCR) == (by_ocr.type_code, by_ocr.source)
    assert by_ocr.confidence < by_text.confidence


def test_a_rule_comes_before_every_guess_and_holds_for_its_title_alone() -> None:
    rules = {"涉案人员审查表": "B022", "换押证": None}
    by_name = CLASSIFIER.classify("003_涉案人员审查表-林小舟.pdf", rules=rules)
    assert ("B022", Source.RULE) == (by_name.type_code, by_name.source)
    by_title = CLASSIFIER.classify("x.pdf", [Line("北湖市公安局"), Line("换 押 证")], rules)
    assert (None, Source.RULE) == (by_title.type_code, by_title.source)
    assert "A029" == CLASSIFIER.classify("拘留证.pdf", rules=rules).type_code
    assert None is CLASSIFIER.classify("涉案人员审查表附件说明.pdf", rules=rules).type_code


def test_the_title_is_the_line_that_names_a_type_or_else_the_largest() -> None:
    assert "拘 留 证" == CLASSIFIER.title_of([Line("北湖市公安局", 22), Line("拘 留 证", 22), Line("北公拘字", 12)])
    assert "涉案人员审查表" == CLASSIFIER.title_of([Line("编号12", 9), Line("涉案人员审查表", 22), Line("姓名", 12)])
    assert "" == CLASSIFIER.title_of([Line("北湖市公安局", 22)])


def test_every_guess_has_a_reason_and_is_the_same_each_time() -> None:
    for document in labelled():
        guess = CLASSIFIER.classify(document.file_name, lines(document))
        assert guess.reason
        assert guess == CLASSIFIER.classify(document.file_name, lines(document))
        assert (guess.type_code is None) == (guess.confidence == 0.0)


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("003_涉案人员审查表-林小舟.pdf", "涉案人员审查表"),
        ("涉案人员审查表（何青山）2026-01-05.PDF", "涉案人员审查表"),
        ("17 涉案人员审查表 第3份.ofd", "涉案人员审查表"),
        ("【密】涉案人员审查表.v2.pdf", "涉案人员审查表"),
        ("IMG_0001.jpg", None),
        ("扫描件0007.pdf", None),
        ("00000023.pdf", None),
        ("林小舟.pdf", None),
        ("证据12.pdf", None),
    ],
)
def test_a_stem_is_what_is_left_without_numbers_dates_and_persons(file_name: str, expected: str | None) -> None:
    assert expected == stem(file_name)


def test_titles_are_compared_without_blanks_punctuation_and_width() -> None:
    assert compact("提 取 痕 迹 、物证登记表（ＤＮＡ）") == compact("提取痕迹物证登记表dna")

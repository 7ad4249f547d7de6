"""Titles as they are compared: without blanks, punctuation, numbering, dates and names of persons."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# 的 comes and goes: 撤销通缉令通知, 撤销通缉令的通知.
_NOT_COMPARED: Final = re.compile(r"[\W_的]+")
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_NUMBERS: Final = re.compile(r"第?(?:\d+|[一二三四五六七八九十]+)[次份号册页]|[A-Za-z]*\d+[A-Za-z]*[年月日]?")
_BRACKETED: Final = re.compile(r"[(（\[【〔《][^)）\]】〕》]*[)）\]】〕》]?")
_SEPARATED: Final = re.compile(r"[\s\-_—–·,,;;.+&]+")
_SURNAMES: Final = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛范彭郎鲁韦昌马苗凤方"
    "俞任袁柳鲍史唐费薛雷贺倪汤滕罗毕郝邬安常于傅卞齐康伍余元顾孟黄穆萧尹姚邵汪祁毛狄米贝明臧计成戴宋庞熊纪舒屈项祝"
    "董梁杜阮蓝闵席季贾路江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍万卢莫房丁邓郁洪包左石崔吉龚程邢裴陆荣翁荀甄曲封储靳"
    "焦侯全班宁仇甘厉武符刘景詹龙叶幸司黎薄白蒲申沙曾游聂翟谭申屠欧阳上官司马诸葛"
)
_PERSON: Final = re.compile(rf"[{_SURNAMES}](?:某{{1,2}}[甲乙丙丁]?|[\u4e00-\u9fff]{{1,2}})")
# What scanners, cameras and offices call any file.
_TELLS_NOTHING: Final = re.compile(
    r"|扫描件?|文书|文件|新建|文档|证据|材料|附件|图片|照片|副本|复印件|原件|终稿|未命名|空白页|img|dsc|scan|doc|image|wechat",
    re.IGNORECASE,
)
_LETTERS: Final = 2


def compact(text: str) -> str:
    """The letters and digits of ``text`` alone, in their ordinary width, Latin ones large."""
    return _NOT_COMPARED.sub("", unicodedata.normalize("NFKC", text)).upper()


def without_extension(file_name: str) -> str:
    """The name without its last short suffix."""
    return _EXTENSION.sub("", file_name)


def outside_brackets(name: str) -> str:
    """The name without what stands in brackets of any kind."""
    return _BRACKETED.sub(" ", name)


def stem(file_name: str) -> str | None:
    """What a file name says of the document, as rules compare it; None where it says nothing.

    Numbers, dates, what stands in brackets and parts that look like a person's name are gone. A part looks so when it
    stands by itself and is a surname with one or two characters, which some other words are, too.
    """
    parts = _SEPARATED.split(_NUMBERS.sub(" ", outside_brackets(without_extension(file_name))))
    telling = [part for part in parts if part and not _PERSON.fullmatch(part)]
    left = compact("".join(telling))
    if len(left) < _LETTERS or _TELLS_NOTHING.fullmatch(left) or left.isascii():
        return None
    return left

"""Names of languages in file names and containers, as BCP 47 tags. Standard library only."""

from __future__ import annotations

import re

# The tag; ISO 639-2 codes; English and own names.
_TABLE = """
af afr afrikaans | am amh amharic | ar ara arabic العربية | az aze azerbaijani
be bel belarusian | bg bul bulgarian български | bn ben bengali | bs bos bosnian
ca cat catalan català | cs ces cze czech čeština | cy cym wel welsh
da dan danish dansk | de deu ger german deutsch | el ell gre greek ελληνικά
en eng english | eo epo esperanto | es spa esp spanish español castellano
et est estonian eesti | eu eus baq basque | fa fas per persian farsi
fi fin finnish suomi | fr fra fre french français | ga gle irish | gl glg galician
gu guj gujarati | he heb hebrew עברית | hi hin hindi | hr hrv croatian hrvatski
hu hun hungarian magyar | hy hye arm armenian | id ind indonesian
is isl ice icelandic íslenska | it ita italian italiano | ja jpn jp japanese 日本語
ka kat geo georgian | kk kaz kazakh | km khm khmer | kn kan kannada
ko kor kr korean 한국어 | la lat latin | lo lao | lt lit lithuanian lietuvių
lv lav latvian latviešu | mk mkd mac macedonian | ml mal malayalam
mn mon mongolian | mr mar marathi | ms msa may malay | my mya bur burmese
nb nob bokmål | ne nep nepali | nl nld dut dutch nederlands | nn nno nynorsk
no nor norwegian norsk | pa pan punjabi | pl pol polish polski
pt por portuguese português | ro ron rum romanian română | ru rus russian русский
si sin sinhala | sk slk slo slovak slovenčina | sl slv slovenian slovenščina
sq sqi alb albanian shqip | sr srp scc serbian српски | sv swe swedish svenska
sw swa swahili | ta tam tamil | te tel telugu | th tha thai ไทย | tl tgl tagalog
fil filipino | tr tur turkish türkçe | uk ukr ukrainian українська | ur urd urdu
uz uzb uzbek | vi vie vietnamese | zh zho chi chinese 中文 | yue cantonese
zh-Hans chs zhs simplified 简体 简体中文 | zh-Hant cht zht traditional 繁體 繁體中文
pt-BR pob ptbr brazilian | es-419 latino
"""
_TAGS: dict[str, str] = {}
for _entry in _TABLE.replace("\n", "|").split("|"):
    for _name in _entry.split():
        _TAGS[_name.lower()] = _entry.split()[0]
_CODES = {_tag: _code for _code, _tag in reversed(_TAGS.items()) if len(_code) == 3 and _code.isascii()}
"""The first ISO 639-2 code of each tag, which is the terminological one."""
_SCRIPTS = frozenset(("hans", "hant", "latn", "cyrl"))
_TAG = re.compile(r"([a-z]{2,3})[-_]([a-z0-9]{2,8})", re.IGNORECASE)


def language_tag(name: str) -> str:
    """Return the tag of a language from its tag, code or name, in capitals or not; "" for anything else.

    `ger` is `de`, `English` is `en`, `pt_br` is `pt-BR`, `en-orig` is `en`.
    """
    name = name.strip()
    found = _TAGS.get(name.lower())
    if found is not None:
        return found
    parts = _TAG.fullmatch(name)
    language = _TAGS.get(parts[1].lower()) if parts else None
    if parts is None or language is None:
        return ""
    region = parts[2]
    if len(region) == 2 and region.isalpha():
        return f"{language}-{region.upper()}"
    if len(region) == 3 and region.isdigit():
        return f"{language}-{region}"
    return f"{language}-{region.title()}" if region.lower() in _SCRIPTS else language


def iso_639_2(tag: str) -> str:
    """Return the code of three letters that containers name a language by; `und` if it is not known."""
    language = tag.partition("-")[0].lower()
    return language if len(language) == 3 and language.isascii() else _CODES.get(language, "und")

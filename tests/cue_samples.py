"""Subtitle files of every kind, intact, damaged and in odd encodings, with the lines that are in them."""

# ruff: noqa: E501  a table of files, one a line

from __future__ import annotations

from dataclasses import dataclass

Line = tuple[int, int, str]

SRT = "1\n00:00:01,000 --> 00:00:02,500\n{}\n\n2\n00:00:03,000 --> 00:00:04,000\n{}\n"
FIRST, SECOND = (1000, 2500), (3000, 4000)


@dataclass(frozen=True)
class Sample:
    """A file and what is read from it, beside a video of 100 seconds at 25 frames per second."""

    id: str
    name: str
    content: bytes
    lines: tuple[Line, ...]
    problems: tuple[str, ...] = ()
    language: str = ""


def sample(
    id: str,
    name: str,
    content: str | bytes,
    *lines: Line,
    problems: tuple[str, ...] = (),
    encoding: str = "utf-8",
    language: str = "",
) -> Sample:
    data = content if isinstance(content, bytes) else content.encode(encoding)
    return Sample(id, name, data, lines, problems, language)


def two(id: str, name: str, encoding: str, first: str, second: str, mark: bytes = b"", language: str = "") -> Sample:
    """A SubRip file of two cues in some encoding."""
    content = mark + SRT.format(first, second).encode(encoding)
    return Sample(id, name, content, ((*FIRST, first), (*SECOND, second)), (), language)


SUBRIP = (
    sample("plain", "film.srt", SRT.format("Hello", "World"), (1000, 2500, "Hello"), (3000, 4000, "World")),
    sample("crlf", "film.srt", SRT.format("Hello\nthere", "World").replace("\n", "\r\n"), (1000, 2500, "Hello\nthere"), (3000, 4000, "World")),
    sample("old mac line ends", "film.srt", SRT.format("Hello", "World").replace("\n", "\r"), (1000, 2500, "Hello"), (3000, 4000, "World")),
    sample("tags", "film.srt", SRT.format("<i>Hello</i> <font color=\"#fff\">you</font>", "{\\an8}Tom &amp; Jerry<br>x < y"), (1000, 2500, "Hello you"), (3000, 4000, "Tom & Jerry\nx < y")),
    sample("blank line within", "film.srt", SRT.format("Hello\n\nthere", "World"), (1000, 2500, "Hello\nthere"), (3000, 4000, "World")),
    sample("no blank lines", "film.srt", SRT.format("Hello", "World").replace("\n\n", "\n"), (1000, 2500, "Hello"), (3000, 4000, "World")),
    sample("no numbers", "film.srt", "00:00:01,000 --> 00:00:02,500\nHello\n\n00:00:03.0 -> 00:00:04\n7\n", (1000, 2500, "Hello"), (3000, 4000, "7")),
    sample("short times, position", "film.srt", "1\n0:1,5 --> 0:2.25 X1:1 X2:2\nHello\n", (1500, 2250, "Hello")),
    sample("bad time", "film.srt", SRT.format("Hello", "World").replace("00:00:01,000", "00:0x:01,000"), (3000, 4000, "World"), problems=("1 of 2 cues were left out: line 2 (its times cannot be read)",)),
    sample("lost time", "film.srt", SRT.format("Hello", "World") + "\n3\nGone\n\n4\n00:00:05,000 --> 00:00:06,000\nBack\n", (1000, 2500, "Hello"), (3000, 4000, "World"), (5000, 6000, "Back"), problems=("1 of 4 cues were left out: line 9 (it has no times)",)),
    sample("backwards", "film.srt", SRT.format("Hello", "World").replace("00:00:04", "00:00:02"), (1000, 2500, "Hello"), problems=("1 of 2 cues were left out: line 6 (it ends before it begins)",)),
    sample("cut off in a time", "film.srt", SRT.format("Hello", "World") + "\n3\n00:00:05,0", (1000, 2500, "Hello"), (3000, 4000, "World"), problems=("1 of 3 cues were left out: line 10 (its times cannot be read)",)),
    sample("negative", "film.srt", "1\n-00:00:05,000 --> -00:00:01,000\nNever\n\n2\n-00:00:01,000 --> 00:00:02,000\nEarly\n", (0, 2000, "Early"), problems=("1 of 2 cues end before the video begins and were left out",)),
    sample("beyond", "film.srt", "1\n00:01:30,000 --> 00:02:10,000\nLast\n\n2\n00:01:40,000 --> 00:01:41,000\nNever\n\n3\n9999:00:00,000 --> 9999:00:01,000\nAges\n", (90000, 100000, "Last"), problems=("2 of 3 cues begin after the end of the video and were left out",)),
    sample("zeros", "film.srt", SRT.format("He\0llo", "World\0"), (1000, 2500, "Hello"), (3000, 4000, "World")),
    sample("bad bytes in utf-8", "film.srt", SRT.format("Schöne Grüße aus Köln", "Ä{}Ö").replace("{}", "\udcff").encode("utf-8", "surrogateescape"), (1000, 2500, "Schöne Grüße aus Köln"), (3000, 4000, "Ä\ufffdÖ")),
    sample("out of order, twice", "film.srt", SRT.format("World", "World") + "\n3\n00:00:00,500 --> 00:00:00,900\nHello\n\n4\n00:00:04,050 --> 00:00:05,000\nWorld\n", (500, 900, "Hello"), (1000, 2500, "World"), (3000, 5000, "World")),
    sample("empty cues", "film.srt", SRT.format("", "<i></i>") + "\n3\n00:00:05,000 --> 00:00:06,000\nx\n", (5000, 6000, "x")),
    sample("no subtitles", "film.srt", "Dear diary,\nnothing happened.", problems=("it holds no subtitles in any format that is known",)),
    sample("empty", "film.srt", ""),
    sample("drone", "film.srt", "1\n00:00:00,000 --> 00:00:00,033\n<font size=\"28\">SrtCnt : 1, DiffTime : 33ms\n[iso : 100] [shutter : 1/1000]</font>\n"),
    two("utf-8 mark", "film.srt", "utf-8", "Grüße", "Ende", b"\xef\xbb\xbf"),
    two("utf-16 le mark", "film.srt", "utf-16-le", "Grüße", "終わり", b"\xff\xfe"),
    two("utf-16 be mark", "film.srt", "utf-16-be", "Grüße", "終わり", b"\xfe\xff"),
    two("utf-16 le", "film.srt", "utf-16-le", "Grüße", "終わり"),
    two("utf-16 be", "film.srt", "utf-16-be", "Grüße", "Конец"),
    two("cp1252", "film.srt", "cp1252", "Où est la bibliothèque ?", "C’est déjà l’été…"),
    two("cp1252 one accent", "film.srt", "cp1252", "Let's go to the café.", "Nothing."),
    two("cp1250", "film.srt", "cp1250", "Gdzie jest mój samochód?", "Dziękuję, źle się czuję."),
    two("iso 8859-2 by name", "film.pl.srt", "iso8859_2", "Gdzie jest mój samochód?", "Dziękuję, źle się czuję.", language="pl"),
    two("cp1251", "film.srt", "cp1251", "Где мой ключ?", "Я не знаю, спроси его завтра."),
    two("koi8", "film.srt", "koi8_r", "Где мой ключ?", "Я не знаю, спроси его завтра."),
    two("cp1253", "film.srt", "cp1253", "Πού είναι το κλειδί μου;", "Δεν ξέρω, ρώτησέ τον αύριο."),
    two("cp1254 by name", "film.tr.srt", "cp1254", "Anahtarım nerede?", "Şişe ağaçta.", language="tr"),
    two("shift-jis", "film.srt", "cp932", "私の鍵はどこですか？", "ありがとう、元気です。"),
    two("shift-jis by name", "film.ja.srt", "cp932", "はい", "東京", language="ja"),
    two("euc-jp", "film.srt", "euc_jp", "私の鍵はどこですか？", "ありがとう、元気です。"),
    two("iso-2022-jp", "film.srt", "iso2022_jp", "私の鍵はどこですか？", "ありがとう"),
    two("gb18030", "film.srt", "gb18030", "我的钥匙在哪里？", "我不知道，明天问他吧。"),
    two("gb18030 by name", "film.chs.srt", "gb18030", "你好", "是的", language="zh-Hans"),
    two("big5", "film.srt", "big5", "我的鑰匙在哪裡？", "我不知道，明天問他吧。"),
    two("euc-kr", "film.srt", "euc_kr", "내 열쇠가 어디에 있나요?", "고맙습니다, 잘 지내요."),
)  # fmt: skip

VTT = "WEBVTT\n\n"
WEBVTT = (
    sample("plain", "film.vtt", VTT + "00:01.000 --> 00:02.000\nHello\n\n00:00:03.000 --> 00:00:04.000\nWorld\n", (1000, 2000, "Hello"), (3000, 4000, "World")),
    sample("header", "film.vtt", "WEBVTT - Title\nKind: captions\nLanguage: en\n\n00:01.000 --> 00:02.000\nHello\n", (1000, 2000, "Hello")),
    sample("header without blank line", "film.vtt", "WEBVTT\n00:01.000 --> 00:02.000\nHello\n", (1000, 2000, "Hello")),
    sample("notes and styles", "film.vtt", VTT + "STYLE\n::cue { color: red }\n\nNOTE a note\nof two lines\n\nintro\n00:01.000 --> 00:02.000\nHello\n\nNOTE end\n", (1000, 2000, "Hello")),
    sample("voices and classes", "film.vtt", VTT + "00:01.000 --> 00:02.000 align:start position:0%\n<v.loud Fred>Hi <c.red.big>you</c> <b>&lt;3</b>&lrm;</v>\n", (1000, 2000, "Hi you <3")),
    sample("karaoke", "film.vtt", VTT + "00:01.000 --> 00:04.000\none <00:02.000>two <00:03.000>three\n", (1000, 4000, "one two three")),
    sample("rolling", "film.vtt", VTT + "00:00.000 --> 00:02.000\n \nhello<00:00:01.000><c> world</c>\n\n00:02.000 --> 00:02.010\nhello world\n \n\n00:02.010 --> 00:04.000\nhello world\nhow<00:00:03.000><c> are you</c>\n\n00:04.000 --> 00:04.010\nhow are you\n \n", (0, 2010, "hello world"), (2010, 4010, "how are you")),
    sample("three rows roll", "film.vtt", VTT + "00:01.000 --> 00:02.000\na\nb\n\n00:02.000 --> 00:03.000\na\nb\nc\n\n00:03.000 --> 00:04.000\nb\nc\nd\n", (1000, 2000, "a\nb"), (2000, 3000, "c"), (3000, 4000, "d")),
    sample("the same later is kept", "film.vtt", VTT + "00:01.000 --> 00:02.000\nNo.\n\n00:09.000 --> 00:10.000\nNo.\n", (1000, 2000, "No."), (9000, 10000, "No.")),
    sample("bad time", "film.vtt", VTT + "00:01.000 --> soon\nHello\n\n00:03.000 --> 00:04.000\nWorld\n", (3000, 4000, "World"), problems=("1 of 2 cues were left out: line 3 (its times cannot be read)",)),
    sample("hours of four digits", "film.vtt", VTT + "0000:00:01.000 --> 0000:00:02.000\nHello\n", (1000, 2000, "Hello")),
    sample("mark, crlf", "film.vtt", b"\xef\xbb\xbf" + (VTT + "00:01.000 --> 00:02.000\nGrüße\n").replace("\n", "\r\n").encode(), (1000, 2000, "Grüße")),
    sample("named .srt", "film.srt", VTT + "00:01.000 --> 00:02.000\nHello\n", (1000, 2000, "Hello")),
    sample("no cues", "film.vtt", VTT),
    sample("unclosed tag", "film.vtt", VTT + "00:01.000 --> 00:02.000\na <b and c\n", (1000, 2000, "a <b and c")),
    sample("utf-16", "film.vtt", b"\xff\xfe" + (VTT + "00:01.000 --> 00:02.000\n终\n").encode("utf-16-le"), (1000, 2000, "终")),
)  # fmt: skip

ASS = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nStyle: Default,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"


def dialogue(text: str, start: str = "0:00:01.00", end: str = "0:00:02.50") -> str:
    return f"Dialogue: 0,{start},{end},Default,,0,0,0,,{text}\n"


SUBSTATION = (
    sample("plain", "film.ass", ASS + dialogue("Hello, you"), (1000, 2500, "Hello, you")),
    sample("overrides", "film.ass", ASS + dialogue("{\\b1\\c&H00FF00&}Hello{\\b0}\\Nthere\\hyou {comment}"), (1000, 2500, "Hello\nthere you")),
    sample("karaoke", "film.ass", ASS + dialogue("{\\k20}Hel{\\k30}lo"), (1000, 2500, "Hello")),
    sample("drawing", "film.ass", ASS + dialogue("{\\p1}m 0 0 l 10 10{\\p0}sign") + dialogue("{\\an7\\p4}m 1 1 b 2 2"), (1000, 2500, "sign")),
    sample("comments", "film.ass", ASS + dialogue("No").replace("Dialogue", "Comment") + dialogue("Yes"), (1000, 2500, "Yes")),
    sample("layers", "film.ass", ASS + dialogue("{\\bord3}Sign") + dialogue("{\\bord0}Sign"), (1000, 2500, "Sign")),
    sample("frame by frame", "film.ass", ASS + "".join(dialogue("Sign", f"0:00:01.{n}0", f"0:00:01.{n + 1}0") for n in range(9)), (1000, 1900, "Sign")),
    sample("other columns", "film.ass", "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.50,Hello, you\n", (1000, 2500, "Hello, you")),
    sample("ssa", "film.ssa", "[Script Info]\n[V4 Styles]\n[Events]\nFormat: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: Marked=0,0:00:01.00,0:00:02.50,D,,0000,0000,0000,,Hello\n", (1000, 2500, "Hello")),
    sample("no header", "film.ass", dialogue("Hello"), (1000, 2500, "Hello")),
    sample("cut off", "film.ass", ASS + dialogue("Hello") + "Dialogue: 0,0:00:0", (1000, 2500, "Hello"), problems=("1 of 2 cues were left out: line 10 (it is cut off)",)),
    sample("bad time", "film.ass", ASS + dialogue("Hello", "soon") + dialogue("World"), (1000, 2500, "World"), problems=("1 of 2 cues were left out: line 9 (its times cannot be read)",)),
    sample("negative", "film.ass", ASS + dialogue("Hello", "-0:00:01.00"), (0, 2500, "Hello")),
    sample("fonts", "film.ass", ASS + dialogue("Hello") + "\n[Fonts]\nfontname: a.ttf\nDialogue:\n" + "!!!\n" * 3, (1000, 2500, "Hello")),
    sample("gb18030", "film.ass", ASS + dialogue("我的钥匙在哪里？明天问他吧。"), (1000, 2500, "我的钥匙在哪里？明天问他吧。"), encoding="gb18030"),
    sample("utf-16", "film.ass", "\ufeff" + ASS + dialogue("Ende"), (1000, 2500, "Ende"), encoding="utf-16-le"),
)  # fmt: skip

SBV = (
    sample("plain", "film.sbv", "0:00:01.000,0:00:02.500\nHello\nthere\n\n0:00:03.000,0:00:04.000\nWorld\n", (1000, 2500, "Hello\nthere"), (3000, 4000, "World")),
    sample("crlf", "film.sbv", "0:00:01.000,0:00:02.500\r\nHello\r\n\r\n0:00:03.000,0:00:04.000\r\nWorld\r\n", (1000, 2500, "Hello"), (3000, 4000, "World")),
    sample("speakers", "film.sbv", "0:00:01.000,0:00:02.500\n>> Tom: Hello\n", (1000, 2500, ">> Tom: Hello")),
    sample("entities", "film.sbv", "0:00:01.000,0:00:02.500\nTom &amp; Jerry [br] x\n", (1000, 2500, "Tom & Jerry\nx")),
    sample("blank line within", "film.sbv", "0:00:01.000,0:00:02.500\nHello\n\nthere\n\n0:00:03.000,0:00:04.000\nx\n", (1000, 2500, "Hello\nthere"), (3000, 4000, "x")),
    sample("bad time", "film.sbv", "0:00:01.000,0:00:02.500\nHello\n\n0:00:03.000,later\nWorld\n", (1000, 2500, "Hello"), problems=("1 of 2 cues were left out: line 4 (its times cannot be read)",)),
    sample("cut off", "film.sbv", "0:00:01.000,0:00:02.500\nHello\n\n0:00:03.000", (1000, 2500, "Hello"), problems=("1 of 2 cues were left out: line 4 (its times cannot be read)",)),
    sample("backwards", "film.sbv", "0:00:03.000,0:00:02.500\nHello\n", problems=("1 of 1 cues were left out: line 1 (it ends before it begins)",)),
    sample("beyond", "film.sbv", "1:00:03.000,1:00:04.500\nHello\n", problems=("1 of 1 cues begin after the end of the video and were left out",)),
    sample("empty text", "film.sbv", "0:00:01.000,0:00:02.500\n\n0:00:03.000,0:00:04.000\nx\n", (3000, 4000, "x")),
    sample("mark", "film.sbv", "\ufeff0:00:01.000,0:00:02.500\nGrüße\n", (1000, 2500, "Grüße")),
    sample("cp1252", "film.sbv", "0:00:01.000,0:00:02.500\nÀ bientôt, mon général.\n", (1000, 2500, "À bientôt, mon général."), encoding="cp1252"),
    sample("by language", "film.de-DE.sbv", "0:00:01.000,0:00:02.500\nHallo\n", (1000, 2500, "Hallo"), language="de-DE"),
)  # fmt: skip

SUB = (
    sample("frames", "film.sub", "{25}{50}one|two\n{75}{100}three\n", (1000, 2000, "one\ntwo"), (3000, 4000, "three")),
    sample("own rate", "film.sub", "{1}{1}50\n{50}{100}one\n", (1000, 2000, "one")),
    sample("own rate with a comma", "film.sub", "{1}{1}23,976\n{24}{48}one\n", (1001, 2002, "one")),
    sample("absurd rate", "film.sub", "{25}{25}5\n{50}{75}one\n", (1000, 1000, "5"), (2000, 3000, "one")),
    sample("formats", "film.sub", "{25}{50}{y:i}one{C:$ff}|{Y:b}two\n", (1000, 2000, "one\ntwo")),
    sample("open end", "film.sub", "{25}{}one\n{50}{75}two\n", (1000, 2000, "one"), (2000, 3000, "two")),
    sample("damaged line", "film.sub", "{25}{50}one\n{x}{75}two\n", (1000, 2000, "one"), problems=("1 of 2 cues were left out: line 2 (its times cannot be read)",)),
    sample("backwards", "film.sub", "{50}{25}one\n", problems=("1 of 1 cues were left out: line 1 (it ends before it begins)",)),
    sample("mpl2", "film.sub", "[10][25]/one|/two\n[30][40]three\n", (1000, 2500, "one\ntwo"), (3000, 4000, "three")),
    sample("mpl2 in .txt", "film.txt", "[10][25]one\n[30][40]three\n", (1000, 2500, "one"), (3000, 4000, "three")),
    sample("subviewer", "film.sub", "[INFORMATION]\n[TITLE]x\n[END INFORMATION]\n[SUBTITLE]\n00:00:01.00,00:00:02.50\none[br]two\n\n00:00:03.00,00:00:04.00\nthree\n", (1000, 2500, "one\ntwo"), (3000, 4000, "three")),
    sample("vobsub", "film.sub", b"\x00\x00\x01\xba" + b"\x44" * 100, problems=("its subtitles are pictures, which are not read",)),
    sample("vobsub index", "film.idx", "# VobSub index file, v7\n", problems=("its subtitles are pictures, which are not read",)),
    sample("pgs", "film.sup", b"PG\x00\x00", problems=("its subtitles are pictures, which are not read",)),
    sample("cp1250", "film.pl.sub", "{25}{50}Gdzie jest mój samochód?|źle\n", (1000, 2000, "Gdzie jest mój samochód?\nźle"), encoding="cp1250", language="pl"),
)  # fmt: skip

TT = '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" {}><head><metadata/></head><body><div>{}</div></body></tt>'


def tt(body: str, attributes: str = "") -> str:
    return TT.format(attributes, body)


TTML = (
    sample("plain", "film.ttml", tt('<p begin="00:00:01.000" end="00:00:02.500">Hello</p>'), (1000, 2500, "Hello")),
    sample("offsets", "film.ttml", tt('<p begin="1s" end="2500ms">a</p><p begin="0.05m" dur="1s">b</p><p begin="0.01h" end="37s">c</p>'), (1000, 2500, "a"), (3000, 4000, "b"), (36000, 37000, "c")),
    sample("frames and ticks", "film.dfxp", tt('<p begin="25f" end="00:00:02:12">a</p><p begin="30000000t" end="40000000t">b</p>', 'ttp:frameRate="25" ttp:tickRate="10000000"'), (1000, 2480, "a"), (3000, 4000, "b")),
    sample("rate with a multiplier", "film.ttml", tt('<p begin="24f" end="48f">a</p>', 'ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"'), (1001, 2002, "a")),
    sample("breaks, spans and spaces", "film.ttml", tt('<p begin="1s" end="2s">\n  one<br/>  <span>two\n three</span><metadata>no</metadata>\n</p>'), (1000, 2000, "one\ntwo three")),
    sample("times of spans", "film.ttml", tt('<p><span begin="1s" end="2s">a</span><span begin="2s" end="3s">b</span></p>'), (1000, 2000, "a"), (2000, 3000, "b")),
    sample("nested times", "film.ttml", tt('<p begin="1s" end="2s">a</p>').replace("<div>", '<div begin="10s">'), (11000, 12000, "a")),
    sample("language", "film.ttml", tt('<p begin="1s" end="2s">a</p>', 'xml:lang="pt-br"'), (1000, 2000, "a"), language="pt-BR"),
    sample("no end", "film.ttml", tt('<p begin="1s">a</p><p begin="4s">b</p>'), (1000, 4000, "a"), (4000, 100000, "b")),
    sample("bad time", "film.ttml", tt('<p begin="soon">a</p><p begin="1s" end="2s">b</p>'), (1000, 2000, "b"), problems=("1 of 2 cues were left out: paragraph 1 (its times cannot be read)",)),
    sample("entities refused", "film.ttml", '<!DOCTYPE tt [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + tt('<p begin="1s" end="2s">&b;</p>').partition("\n")[2]),
    sample("cut off", "film.ttml", tt('<p begin="1s" end="2s">a</p>')[:-20]),
    sample("other xml", "film.ttml", "<a><b/></a>"),
    sample("prefix, utf-16", "film.ttml", b"\xff\xfe" + tt('<p begin="1s" end="2s">a</p>').replace("<p", "<tt:p").replace("</p", "</tt:p").replace("<tt xmlns=", "<tt xmlns:tt='http://www.w3.org/ns/ttml' xmlns=").replace("UTF-8", "UTF-16").encode("utf-16-le"), (1000, 2000, "a")),
    sample("deep", "film.ttml", tt("<p>" * 1000)),
)  # fmt: skip

WHISPER = (
    sample("openai", "film.json", '{"text": " Hi you", "segments": [{"id": 0, "start": 1.0, "end": 2.5, "text": " Hi you", "avg_logprob": -0.2, "words": [{"word": " Hi", "start": 1.0, "end": 1.4, "probability": 0.9}, {"word": " you", "start": 1.4, "end": 2.5, "probability": 0.8}]}], "language": "en"}', (1000, 2500, "Hi you"), language="en"),
    sample("faster-whisper", "film.json", '[{"id": 1, "start": 1.0, "end": 2.5, "text": " Hi", "words": null}]', (1000, 2500, "Hi")),
    sample("whisperx", "film.json", '{"segments": [{"start": 1.0, "end": 2.5, "text": "In 1999", "words": [{"word": "In", "start": 1.0, "end": 1.2, "score": 0.7}, {"word": "1999"}], "speaker": "S1"}], "word_segments": []}', (1000, 2500, "In 1999")),
    sample("whisper.cpp", "film.json", '{"result": {"language": "de"}, "transcription": [{"timestamps": {"from": "00:00:01,000", "to": "00:00:02,500"}, "offsets": {"from": 1000, "to": 2500}, "text": " Hallo"}]}', (1000, 2500, "Hallo"), language="de"),
    sample("full name of the language", "film.json", '{"language": "German", "segments": [{"start": 1, "end": 2, "text": "x"}]}', (1000, 2000, "x"), language="de"),
    sample("name wins", "film.fr.json", '{"language": "en", "segments": [{"start": 1, "end": 2, "text": "x"}]}', (1000, 2000, "x"), language="fr"),
    sample("no times", "film.json", '{"segments": [{"start": null, "end": 2, "text": "x"}, {"start": 1, "end": 2, "text": "y"}]}', (1000, 2000, "y"), problems=("1 of 2 cues were left out: segment 1 (its times cannot be read)",)),
    sample("no numbers", "film.json", '{"segments": [{"start": NaN, "end": 1e999, "text": "x"}, {"start": true, "end": 2, "text": "z"}, {"start": 1, "end": 2, "text": "y"}]}', (1000, 2000, "y"), problems=("2 of 3 cues were left out: segment 1 (its times cannot be read), segment 2 (its times cannot be read)",)),
    sample("no text", "film.json", '{"segments": [5, {"start": 1, "end": 2}, {"start": 1, "end": 2, "text": "y"}]}', (1000, 2000, "y"), problems=("2 of 3 cues were left out: segment 1 (it has no text), segment 2 (it has no text)",)),
    sample("backwards", "film.json", '{"segments": [{"start": 3, "end": 2, "text": "x"}]}', problems=("1 of 1 cues were left out: segment 1 (it ends before it begins)",)),
    sample("other json", "film.json", '{"title": "x"}'),
    sample("cut off", "film.json", '{"segments": [{"start": 3, "end"'),
    sample("nested", "film.json", "[" * 100_000),
    sample("utf-16", "film.json", b"\xff\xfe" + '{"segments": [{"start": 1, "end": 2, "text": "終"}]}'.encode("utf-16-le"), (1000, 2000, "終")),
    sample("half a character", "film.json", '{"segments": [{"start": 1, "end": 2, "text": "a\\ud800b"}]}', (1000, 2000, "a b")),
)  # fmt: skip

TEXT = (
    sample("brackets", "film.txt", "[00:01:02] Hello\n[00:01:05.500] World\n", (62000, 65500, "Hello"), (65500, 100000, "World")),
    sample("parentheses, more lines", "film.txt", "(0:02) Hello\nthere\n(0:05) World\n", (2000, 5000, "Hello\nthere"), (5000, 100000, "World")),
    sample("bare times", "film.txt", "00:00:02 Hello\n00:00:05 - World\n", (2000, 5000, "Hello"), (5000, 100000, "World")),
    sample("arrows in front", "film.txt", "00:00:02.500 --> 00:00:04 Hello\n00:00:05 --> 00:00:06 World\n", (2500, 4000, "Hello"), (5000, 6000, "World")),
    sample("as Whisper prints", "film.txt", "Detecting language\n[00:00:02.880 --> 00:00:07.240]  Hello\n[00:00:08.880 --> 00:00:09.240]  World\n", (2880, 7240, "Hello"), (8880, 9240, "World")),
    sample("as copied from a page", "film.txt", "0:00\nHello\n0:05\nWorld\n", (0, 5000, "Hello"), (5000, 100000, "World")),
    sample("speakers", "film.txt", "Speaker 1  00:02\nHello\n\nAnn Lee (0:05):\nWorld\n", (2000, 5000, "Hello"), (5000, 100000, "World")),
    sample("ranges", "film.txt", "0:01 - 0:03: Hello\n0:04–0:06 World\n", (1000, 3000, "Hello"), (4000, 6000, "World")),
    sample("audacity", "film.txt", "1.000000\t2.500000\tHello\n\\\t100\t200\n3,5\t4,5\tWorld\n", (1000, 2500, "Hello"), (3500, 4500, "World")),
    sample("audacity damaged", "film.txt", "1.0\t2.5\tHello\nx\t4.5\tWorld\n", (1000, 2500, "Hello"), problems=("1 of 2 cues were left out: line 2 (its times cannot be read)",)),
    sample("table of Whisper", "film.tsv", "start\tend\ttext\n1000\t2500\tHello\n", (1000, 2500, "Hello")),
    sample("lyrics", "film.lrc", "[ti:Song]\n[00:01.00]Hello\n[00:03.50]World\n", (1000, 3500, "Hello"), (3500, 100000, "World")),
    sample("subrip", "film.txt", SRT.format("Hello", "World"), (1000, 2500, "Hello"), (3000, 4000, "World")),
    sample("notes", "film.txt", "Meet at 10:30.\nBring 2 cameras.\n"),
    sample("other table", "film.tsv", "name\tcount\na\t1\n"),
    sample("beyond", "film.txt", "[10:00:00] Hello\n", problems=("1 of 1 cues begin after the end of the video and were left out",)),
    sample("cp1251", "film.txt", "[00:01] Где мой ключ?\n[00:03] Я не знаю, спроси его завтра.\n", (1000, 3000, "Где мой ключ?"), (3000, 100000, "Я не знаю, спроси его завтра."), encoding="cp1251"),
)  # fmt: skip

SAMPLES = {
    "SubRip": SUBRIP, "WebVTT": WEBVTT, "SubStation": SUBSTATION, "SBV": SBV, "sub": SUB, "TTML": TTML, "Whisper": WHISPER,
    "text": TEXT,
}  # fmt: skip

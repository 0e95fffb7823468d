"""The page of searches: what its widgets ask, what the grid is given, and that the address holds all of it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import ColourEncoder
from streamlit.testing.v1 import AppTest
from synthetic import make_video

import app
from app import compose
from app.jobs.jobs import Jobs
from app.jobs.state import JobState
from app.search_link import FILTERS, LinkStep, LinkTerm, SearchLink
from app.shell.coverage import Coverage
from app.shell.link_query import chain_query_of
from app.web.pages import filter_chips
from app.web.pages.chain_results import no_chains_text
from app.web.pages.saved_searches import name_of
from app.web.services.examples import Examples
from db.library import Library
from encoder import EncoderError
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings
from search.engine import SearchEngine
from search.query import Answer, Query
from search.strength import Strength

PAGE = str(Path(app.__file__).parent / "page.py")

NEVER = 2.0  # no cosine is as large


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """One video of three colours, and one that is tall and whose name tries to be something else."""
    folder = tmp_path / "videos"
    (folder / "sub").mkdir(parents=True)
    make_video(folder / "a.mp4", [("red", 20), ("blue", 20), ("green", 30)])
    make_video(folder / "sub" / "<script>alert(1) **b**.mp4", [("blue", 40)], size=(48, 64))
    library = Library.open(tmp_path / "library")
    report = index_folders(library, ColourEncoder(), [folder], IndexSettings())
    assert report.added == 2
    settle(monkeypatch, library.directory)
    return library


def settle(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    import streamlit

    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(directory))
    monkeypatch.delenv(compose.ENCODER_VARIABLE, raising=False)
    monkeypatch.setattr(compose, "open_encoder", lambda *_: ColourEncoder())
    # Shots of one colour are near-duplicates, as which only one test looks at them.
    monkeypatch.setattr("search.space.near_duplicate", lambda *_: NEVER)


def opened(link: SearchLink | None = None, **params: str) -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=60)
    for name, values in (link.params() if link else {}).items():
        page.query_params[name] = values
    for name, value in params.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def grid(page: AppTest) -> list[dict[str, Any]]:
    """The hits that the page hands to the grid."""
    hits: list[dict[str, Any]] = grid_data(page)["hits"]
    return hits


def said(page: AppTest) -> str:
    """All captions, without the escapes that keep Markdown out."""
    return " ".join(caption.value.replace("\\", "") for caption in page.caption)


def ids(library: Library) -> dict[str, int]:
    """Segment ids by colour, in the order in which the videos were made."""
    (plain, crooked) = sorted(library.videos(), key=lambda video: video.width < video.height)
    segments = [*library.segments_of(plain.id or 0), *library.segments_of(crooked.id or 0)]
    return dict(zip(("red", "blue", "green", "tall blue"), [each.id or 0 for each in segments], strict=True))


def link_of(page: AppTest) -> SearchLink:
    from app.search_link import parse_link

    params = {name: value if isinstance(value, list) else [value] for name, value in page.query_params.items()}
    link, problems = parse_link(params)
    assert problems == []
    return link


def test_words_are_found_and_the_address_keeps_them(library: Library) -> None:
    page = opened()
    assert {hit["score"] for hit in grid(page)} == {None}, "before a question: the newest videos"
    assert grid_data(page)["search"] == "", "which have no moments"
    page.text_input(key="words").set_value("green").run()
    assert not page.exception
    hits = grid(page)
    assert hits[0]["id"] == ids(library)["green"]
    assert hits[0]["share"] == 1.0
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert link_of(page) == SearchLink(words="green")
    assert grid_data(page)["search"] == "q=green", "whose moments are found when hits are opened"
    assert "4 of 4 shots" in said(page)


def test_newest_videos_follow_a_job_from_its_start_to_its_end(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The component `search/newest` runs the script again; what is drawn says whether anything is still indexed."""

    def followed() -> tuple[str, list[str], bool]:
        page = opened()
        protos = [element.proto for element in page.get("bidi_component")]
        (found,) = [proto for proto in protos if proto.component_name == "prismsearch_search_newest"]
        links = [element.proto.label for element in page.get("page_link")]
        return page.caption[-1].value, links, json.loads(found.json)["indexing"]

    assert followed() == ("Newest videos", [], False)
    running = JobState(id="a", kind="index", title="films")
    monkeypatch.setattr(Jobs, "all", lambda _: [running])
    assert followed() == (
        "Newest videos. Indexing continues; searches find new shots as they are added.", ["Show progress"], True,
    )  # fmt: skip
    monkeypatch.setattr(Jobs, "all", lambda _: [replace(running, outcome="done")])
    assert followed() == ("Newest videos", [], False)


def test_without_a_question_the_newest_videos_pass_the_filters(library: Library) -> None:
    (tall,) = [video for video in library.videos() if video.width < video.height]
    page = opened(SearchLink(orientation="portrait"))
    assert [hit["id"] for hit in grid(page)] == [library.segments_of(tall.id or 0)[0].id]
    assert page.caption[-1].value == "Newest videos that pass the filters"
    page = opened(SearchLink(name="nothing of that name"))
    assert grid(page) == []
    assert page.caption[-1].value == "No video passes the filters"


def test_a_link_opens_as_it_was_sent(library: Library) -> None:
    sent = SearchLink(
        words="blue",
        terms=(LinkTerm("segment", str(ids(library)["red"]), -0.5), LinkTerm("text", "green", 0.3)),
        orientation="landscape",
        name="A.MP4",
        threshold=-1.0,
        one_per_video=True,
    )
    page = opened(sent)
    assert [hit["id"] for hit in grid(page)] == [ids(library)["blue"]]
    assert page.text_input(key="words").value == "blue"
    assert page.slider(key=f"weight_segment_{ids(library)['red']}").value == -0.5
    assert page.segmented_control(key="orientation").value == "landscape"
    assert link_of(page) == sent


def test_a_weight_slider_changes_hits_and_address(library: Library) -> None:
    page = opened(SearchLink(words="red", terms=(LinkTerm("text", "green", 0.1),)))
    assert grid(page)[0]["id"] == ids(library)["red"]
    page.slider(key="weight_text_green").set_value(2.0).run()
    page.slider(key="weight_words").set_value(0.2).run()
    assert grid(page)[0]["id"] == ids(library)["green"]
    assert link_of(page) == SearchLink(words="red", words_weight=0.2, terms=(LinkTerm("text", "green", 2.0),))


def test_filters_narrow_and_are_cleared(library: Library) -> None:
    page = opened(SearchLink(words="blue"))
    page.segmented_control(key="orientation").set_value("portrait").run()
    assert next(popover.proto.popover.label for popover in page.get("popover")) == "Filters (1)", "not one run late"
    assert [hit["id"] for hit in grid(page)] == [ids(library)["tall blue"]]
    assert "1 of 1 shots" in said(page)
    page.number_input(key="least_seconds").set_value(100.0).run()
    assert grid(page) == []
    assert "No shots match these filters" in page.info[0].value
    page.button(key="clear_filters").click().run()
    assert len(grid(page)) == 4
    assert link_of(page) == SearchLink(words="blue")


def test_what_files_state_is_chosen_among_what_there_is(library: Library) -> None:
    page = opened(SearchLink(words="blue"))
    assert not [
        button for button in page.button if str(button.key).startswith("chip_") or button.key == "clear_filters"
    ]
    assert page.selectbox(key="codec").options == ["Any", "h264"]
    assert page.selectbox(key="camera").options == ["Any"]
    rates = page.selectbox(key="frame_rate").options
    page.selectbox(key="frame_rate").set_value(float(rates[1]))
    page.selectbox(key="codec").set_value("h264").run()
    assert len(grid(page)) == 4
    page.segmented_control(key="sound").set_value("with").run()
    assert link_of(page) == SearchLink(words="blue", codec="h264", frame_rate=float(rates[1]), has_sound=True)
    assert grid(page) == []


def test_each_filter_has_a_chip_that_takes_it_out(library: Library) -> None:
    sent = SearchLink(
        words="blue", terms=(LinkTerm("text", "red", 0.5),), folder=library.folders()[0], codec="H.264", camera="sony",
        limit=400,
    )  # fmt: skip
    page = opened(sent)
    chips = {str(button.key): button for button in page.button if str(button.key).startswith("chip_")}
    assert list(chips) == ["chip_folder", "chip_codec", "chip_camera"]
    assert chips["chip_codec"].label.replace("\\", "") == "Codec: H.264"
    assert page.selectbox(key="codec").value == "H.264", "a link's own words are kept"
    assert page.selectbox(key="camera").value == "sony"
    chips["chip_codec"].click().run()
    assert link_of(page) == replace(sent, codec=None)
    assert page.selectbox(key="codec").value == "Any"
    page.button(key="clear_filters").click().run()
    assert link_of(page) == replace(sent, folder=None, codec=None, camera=None)
    assert not [button for button in page.button if button.key == "clear_filters"]


def test_every_filter_has_a_text_of_its_own_on_a_chip() -> None:
    values: dict[str, Any] = {
        "folder": "/a/" + "long " * 30 + "/end", "name": os.fsdecode(b"caf\xe9"), "since": "2025-01-01",
        "until": "2025-01-02", "recorded_since": "2025-01-03", "recorded_until": "2025-01-04", "min_seconds": 1.5,
        "max_seconds": 60.0, "min_short_side": 900, "orientation": "portrait", "codec": "hevc", "frame_rate": 29.97,
        "camera": "Apple iPhone 15", "has_sound": False, "least_level": "likely", "threshold": 0.25,
        "one_per_video": True, "duplicates": "hide", "takes": "show",
    }  # fmt: skip
    texts = {name: filter_chips.TEXTS[name](values[name]) for name in FILTERS}
    assert len(set(texts.values())) == len(FILTERS)
    assert texts["frame_rate"] == "29.97 fps"
    assert texts["min_short_side"] == "900p or more"


def test_near_duplicates_are_stacked_unless_the_link_says_otherwise(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.space.near_duplicate", lambda *_: 0.95)
    page = opened(SearchLink(words="blue"))
    first, *others = grid(page)
    assert len(first["alike"]) == 1
    assert first["alike"][0] not in {each["id"] for each in others}
    assert len(others) == 2
    assert page.selectbox(key="duplicates").value == "stack"
    page.selectbox(key="duplicates").select("show").run()
    assert link_of(page) == SearchLink(words="blue", duplicates="show")
    assert [each["alike"] for each in grid(page)] == [[]] * 4
    old = opened(q="blue", dups="1")
    assert [each["alike"] for each in grid(old)] == [[]] * 3
    assert old.button(key="chip_duplicates").label.replace("\\", "") == "Near-duplicates hidden"


def test_a_least_score_says_so_when_nothing_reaches_it(library: Library) -> None:
    page = opened(SearchLink(words="red", threshold=1.0, orientation="portrait"))
    assert grid(page) == []
    assert "No shot scores 1 or more" in page.info[0].value.replace("\\", "")
    (lower,) = [button for button in page.button if button.label == "Show lower scores"]
    lower.click().run()
    assert link_of(page) == SearchLink(words="red", orientation="portrait")
    assert len(grid(page)) == 1


def test_no_results_lead_to_those_without_filters(library: Library) -> None:
    page = opened(SearchLink(words="red", min_seconds=100.0, name=".mp4"))
    assert page.info[0].value.replace("\\", "") == "No shots match these filters."
    (clear, *_) = [button for button in page.button if button.label == "Clear filters" and button.key is None]
    clear.click().run()
    assert link_of(page) == SearchLink(words="red")
    assert len(grid(page)) == 4


def test_no_place_leads_to_more_time_and_any_order(library: Library) -> None:
    page = opened(SearchLink(words="green", then=(LinkStep("red"),), orientation="portrait"))
    labels = [button.label for button in page.button]
    assert "Within 60 s" in labels
    (any_order,) = [button for button in page.button if button.label == "Any order"]
    any_order.click().run()
    assert link_of(page).any_order
    assert not [button for button in page.button if button.label == "Any order"]


def test_a_dropped_file_is_called_by_its_name(library: Library) -> None:
    name = "<b>holiday** " + "x" * 80 + "\u202egpj.mp4"
    upload = Examples(library.directory).receive(name)
    upload.write(Path(sorted(video.path for video in library.videos())[0]).read_bytes())
    token = upload.finish().token
    page = opened(SearchLink(terms=(LinkTerm("file", token),)))
    label = page.slider(key=f"weight_file_{token}").label
    assert "\\<b\\>holiday\\*\\*" in label
    assert "\ufffd" in label
    assert "…" in label
    assert len(label.replace("\\", "")) < 60
    gone = opened(SearchLink(words="red", terms=(LinkTerm("file", "0" * 32),)))
    assert gone.slider(key=f"weight_file_{'0' * 32}").label == "a file that no longer exists"


def test_other_encoders_are_a_link_and_no_option_of_the_shell(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ColourEncoder, "notice", "the encoder knows colours only", raising=False)
    page = opened(SearchLink(words="red"))
    links = [link.proto for link in page.get("page_link")]
    assert [(link.label, link.page) for link in links] == [("Choose another encoder", "indexing")]
    assert "colours only" in said(page)
    monkeypatch.setattr(Coverage, "gap", "looked at 4 of 9 shots: the others were indexed with another encoder")
    page = opened(SearchLink(words="red"))
    assert [link.proto.label for link in page.get("page_link")] == ["Index the others", "Choose another encoder"]
    shown = " ".join(str(element.value) for element in (*page.caption, *page.markdown, *page.info))
    assert "--" not in shown
    assert "prismsearch " not in shown


def test_a_least_strength_is_asked_for_and_said_when_nothing_reaches_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def answer(engine: SearchEngine, query: Query) -> Answer:
        asked.append(query.least_level)
        return Answer(hits=[], allowed=4, matching=4, hidden=0)

    monkeypatch.setattr(SearchEngine, "answer", answer)
    page = opened(SearchLink(words="red", least_level="strong"))
    assert asked[-1] == "strong"
    assert page.info[0].value.startswith("No match is strong")
    page.selectbox(key="least_level").set_value("likely").run()
    assert asked[-1] == "likely"
    assert link_of(page) == SearchLink(words="red", least_level="likely")
    page.button(key="chip_least_level").click().run()
    assert asked[-1] is None


def test_a_least_strength_holds_for_chains_too() -> None:
    link = SearchLink(words="red", then=(LinkStep("blue"),), least_level="strong")
    assert chain_query_of(link, {"any": lambda _: pytest.fail("no example")}).least_level == "strong"
    assert no_chains_text(link).startswith("No match is strong")
    assert no_chains_text(replace(link, least_level=None)).startswith("No video has these shots")


def test_words_can_be_added_and_taken_out(library: Library) -> None:
    page = opened(SearchLink(words="red"))
    page.text_input(key="never").set_value("blue").run()
    assert link_of(page).terms == (LinkTerm("text", "blue", -0.5),)
    assert page.text_input(key="never").value == ""
    assert page.slider(key="weight_text_blue").label.replace("\\", "") == "Not “blue”"
    page.button(key="out_weight_text_blue").click().run()
    assert link_of(page) == SearchLink(words="red")


def test_terms_are_added_as_they_are_if_chosen(library: Library) -> None:
    page = opened(SearchLink(words="red", terms=(LinkTerm("text", "green", 1.0),)))
    balanced = [hit["score"] for hit in grid(page)]
    page.toggle(key="plain_sum").set_value(True).run()
    assert not page.exception
    assert link_of(page) == SearchLink(words="red", terms=(LinkTerm("text", "green", 1.0),), plain_sum=True)
    assert [hit["score"] for hit in grid(page)] != balanced
    assert opened(link_of(page)).toggle(key="plain_sum").value is True


def test_a_search_is_saved_opened_and_forgotten(library: Library) -> None:
    page = opened(SearchLink(words="red", orientation="landscape"))
    next(box for box in page.text_input if box.label == "Save this search as").set_value("my reds")
    next(button for button in page.button if button.label == "Save").click().run()
    (saved,) = library.searches.all()
    assert saved.name == "my reds"
    page = opened()
    page.button(key=f"saved_{saved.id}").click().run()
    assert link_of(page) == SearchLink(words="red", orientation="landscape")
    page.button(key=f"unsave_{saved.id}").click().run()
    assert library.searches.all() == []


@pytest.mark.parametrize(
    "term", [LinkTerm("segment", "999999"), LinkTerm("range", "999999:0-10"), LinkTerm("file", "gone123")]
)
def test_an_example_that_has_gone_is_said(library: Library, term: LinkTerm) -> None:
    page = opened(SearchLink(terms=(term,)))
    assert len(page.warning) == 1
    assert any(word in page.warning[0].value.lower() for word in ("segment", "example"))


def test_terms_without_weight_are_said(library: Library) -> None:
    page = opened(SearchLink(terms=(LinkTerm("text", "red", 0.0),)))
    assert "weight" in page.warning[0].value


def test_a_mangled_link_still_opens(library: Library) -> None:
    page = opened(q="red", score="high", term="1:segment:../../etc/passwd")
    assert len(page.warning) == 2
    assert grid(page)[0]["id"] == ids(library)["red"]


def test_a_range_finds_what_it_shows(library: Library) -> None:
    blue = ids(library)["blue"]
    segment, _ = library.segments([blue])[blue]
    page = opened(SearchLink(terms=(LinkTerm("range", f"{blue}:{segment.start_pts}-{segment.end_pts}"),)))
    assert {hit["id"] for hit in grid(page)[:2]} == {blue, ids(library)["tall blue"]}


def test_names_reach_no_markdown_and_missing_files_are_marked(library: Library) -> None:
    crooked = next(video for video in library.videos() if "script" in video.path)
    Path(crooked.path).unlink()
    page = opened(SearchLink(words="blue", terms=(LinkTerm("segment", str(ids(library)["tall blue"]), 1.0),)))
    assert [hit["missing"] for hit in grid(page)] == [False] * len(grid(page))
    page = opened(SearchLink(words="blue"))
    assert {hit["name"]: hit["missing"] for hit in grid(page)} == {"a.mp4": False, Path(crooked.path).name: True}
    shown = [element.value for element in (*page.caption, *page.markdown, *page.warning, *page.info)]
    assert not any("<script>" in str(text) for text in shown)


def test_an_empty_library_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch, tmp_path / "new")
    page = opened()
    assert page.title[0].value == "Find the shot"


def test_a_missing_encoder_is_said_and_nothing_takes_its_place(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> Any:
        raise EncoderError("the weights of base are not here; prismsearch fetch-model downloads them")

    monkeypatch.setattr(compose, "open_encoder", missing)
    page = opened(SearchLink(words="red"))
    assert page.error[0].value.replace("\\", "") == "The encoder base is not on this machine yet."
    assert [link.proto.label for link in page.get("page_link")] == ["Download base", "Choose another encoder"]
    assert page.get("bidi_component")[0].proto.component_name == "prismsearch_shell"
    assert len(page.get("bidi_component")) == 1


def with_strengths(monkeypatch: pytest.MonkeyPatch, *chances: float) -> None:
    """Give the hits of every answer strengths of these chances, in order."""
    real = SearchEngine.answer

    def answer(engine: SearchEngine, query: Any) -> Any:
        found = real(engine, query)
        strengths = [Strength(value=3.0, chance=chance) for chance in chances]
        return replace(found, hits=[replace(hit, strength=s) for hit, s in zip(found.hits, strengths, strict=False)])

    monkeypatch.setattr(SearchEngine, "answer", answer)


def grid_data(page: AppTest) -> dict[str, Any]:
    (found,) = [each.proto for each in page.get("bidi_component") if "search_grid" in each.proto.component_name]
    data: dict[str, Any] = json.loads(found.json)
    return data


def test_good_matches_are_counted_and_weak_ones_shown_beside_them(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_strengths(monkeypatch, 0.004, 0.03, 0.4, 0.9)
    page = opened(SearchLink(words="red"))
    assert "2 good matches · 4 of 4 shots" in said(page)
    assert grid_data(page)["folded"] is False
    assert [hit["strength"]["level"] for hit in grid(page)] == ["strong", "likely", "weak", "weak"]


def test_without_a_good_match_the_page_says_so_and_folds_the_nearest(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_strengths(monkeypatch, 0.06, 0.5, 0.6, 0.7)
    page = opened(SearchLink(words="red"))
    assert "**No good match** among 4 shots" in page.markdown[0].value.replace("\\", "")
    assert (grid_data(page)["folded"], len(grid(page))) == (True, 4)


def test_a_chain_is_saved_under_the_words_of_all_its_steps() -> None:
    assert name_of(SearchLink(words="a penguin", then=(LinkStep(words="a hammer"),))) == "a penguin then a hammer"
    assert len(name_of(SearchLink(words="a" * 100))) == 60


def test_what_is_nearest_to_an_example_is_shown_however_weak(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    with_strengths(monkeypatch, 0.06, 0.5, 0.6, 0.7)
    page = opened(SearchLink(terms=(LinkTerm("segment", str(ids(library)["red"])),)))
    assert "No good match among 4 shots. These are the nearest ones." in said(page).replace("**", "")
    assert (grid_data(page)["folded"], len(grid(page))) == (False, 3), "all but the example"


def test_what_a_person_may_want_to_know_is_one_line(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ColourEncoder, "notice", "the encoder knows colours only", raising=False)
    monkeypatch.setattr(ColourEncoder, "unread", lambda self, text: "wine" if "wine" in text else "")
    page = opened(SearchLink(words="red wine"))
    (line,) = [caption for caption in page.caption if "shots ·" in caption.value.replace("\\", "")]
    assert line.value.replace("\\", "") == (
        "1 good match · 4 of 4 shots · The encoder cannot read “wine” and uses the other words only."
    )
    assert "4 shots" in line.help
    assert "The encoder knows colours only." in said(page)


def test_more_like_this_keeps_the_words_and_walks_from_example_to_example() -> None:
    """Words and exclusions stay; the example is replaced, unless one more is asked for."""
    from app.web.pages.search_state import with_example

    red, blue, away, more = (LinkTerm("segment", "1"), LinkTerm("file", "abc"), LinkTerm("segment", "3", -0.5),
                             LinkTerm("text", "slow", 0.5))  # fmt: skip
    link = SearchLink(words="a dog", terms=(red, away, more))
    assert with_example(link, blue, also=False) == SearchLink(words="a dog", terms=(away, more, blue))
    assert with_example(link, blue, also=True) == SearchLink(words="a dog", terms=(red, away, more, blue))


def test_words_beside_an_example_are_said_and_can_be_dropped_at_once(library: Library) -> None:
    page = opened(SearchLink(words="red", terms=(LinkTerm("segment", str(ids(library)["blue"])),)))
    (drop,) = [button for button in page.button if button.label == "Use only the example"]
    drop.click().run()
    assert not page.exception
    assert link_of(page) == SearchLink(terms=(LinkTerm("segment", str(ids(library)["blue"])),))
    assert not [button for button in page.button if button.label == "Use only the example"]


def chains(page: AppTest) -> list[dict[str, Any]]:
    (found,) = [each.proto for each in page.get("bidi_component") if "search_chains" in each.proto.component_name]
    cards: list[dict[str, Any]] = json.loads(found.json)["chains"]
    return cards


def test_then_finds_chains_and_the_address_keeps_them(library: Library) -> None:
    page = opened(SearchLink(words="red"))
    page.button(key="begin_chain").click().run()
    page.text_input(key="step_0").set_value("green").run()
    assert not page.exception
    assert link_of(page) == SearchLink(words="red", then=(LinkStep("green"),))
    (card, *_) = chains(page)
    known = ids(library)
    assert [part["id"] for part in card["parts"]] == [known["red"], known["green"]]
    assert [part["step"] for part in card["parts"]] == [1, 2]
    assert (card["first"], card["start"], card["end"]) == (known["red"], 0.0, card["parts"][1]["end"])
    assert card["end_pts"] > card["parts"][1]["start"]
    page.number_input(key="within_seconds").set_value(0.0).run()
    page.text_input(key="step_1").set_value("blue").run()
    page.toggle(key="any_order").set_value(True).run()
    steps = (LinkStep("green"), LinkStep("blue"))
    assert link_of(page) == SearchLink(words="red", then=steps, within_seconds=0.0, any_order=True)
    (card, *_) = chains(page)
    assert [part["step"] for part in card["parts"]] == [1, 3, 2], "in the order of time"
    page.text_input(key="step_0").set_value("").run()
    assert page.text_input(key="step_0").value == "blue"
    assert link_of(page).then == (LinkStep("blue"),)
    page.button(key="remove_steps").click().run()
    assert not link_of(page).is_chain
    assert grid(page)


def test_steps_that_are_begun_again_show_the_time_that_is_searched_with_and_take_the_focus(library: Library) -> None:
    page = opened(SearchLink(words="red", then=(LinkStep("green"),), within_seconds=30, any_order=True))
    page.button(key="remove_steps").click().run()
    assert not focused_boxes(page)
    page.button(key="begin_chain").click().run()
    within, switch = page.number_input(key="within_seconds").proto, page.toggle(key="any_order").proto
    assert (within.set_value, within.value) == (True, 30), "else the browser shows 0"
    assert (switch.set_value, switch.value) == (True, True)
    assert focused_boxes(page) == ["step_0"]
    page.text_input(key="step_0").set_value("green").run()
    assert not focused_boxes(page), "the focus stays where the person has gone"


def focused_boxes(page: AppTest) -> list[str]:
    drawn = [each.proto for each in page.get("bidi_component") if "focus_box" in each.proto.component_name]
    return [json.loads(each.json)["box"] for each in drawn]


def test_a_link_of_a_chain_opens_and_filters_are_cleared_without_its_steps(library: Library) -> None:
    link = SearchLink(words="red", then=(LinkStep("green"),), within_seconds=3.5, name="a.mp4")
    page = opened(link)
    assert page.text_input(key="step_0").value == "green"
    assert link_of(page) == link
    page.button(key="clear_filters").click().run()
    assert link_of(page) == replace(link, name=None)


def test_no_chain_says_what_to_change(library: Library) -> None:
    page = opened(SearchLink(words="green", then=(LinkStep("red"),), orientation="portrait"))
    assert "No video has these shots in this order" in page.info[0].value
    assert {"Any order", "Within 60 s"} <= {button.label for button in page.button}


def test_an_example_of_a_step_outlives_a_change_of_its_words() -> None:
    from app.web.pages.then_widgets import with_steps

    example = LinkTerm("segment", "7")
    link = SearchLink(words="red", then=(LinkStep("a", (example,)), LinkStep("b")))
    assert with_steps(link, ["", "", "c"]).then == (LinkStep("", (example,)), LinkStep("c"))


def test_a_negation_is_offered_as_an_exclusion_and_never_taken_unasked(library: Library) -> None:
    page = opened(SearchLink(words="red without any blue", name=".mp4"))
    assert link_of(page).words == "red without any blue"
    (offer,) = [button for button in page.button if "Exclude" in button.label]
    assert offer.label.replace("\\", "") == "Exclude “blue”"
    offer.click().run()
    assert not page.exception
    assert link_of(page) == SearchLink(words="red", terms=(LinkTerm("text", "blue", -0.5),), name=".mp4")
    assert page.text_input(key="words").value == "red"
    assert not [button for button in page.button if "Exclude" in button.label]


@pytest.mark.usefixtures("library")
def test_a_negation_is_offered_where_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SearchEngine, "answer", lambda *_: Answer(hits=[], allowed=4, matching=4, hidden=0))
    page = opened(SearchLink(words="red without any blue", least_level="strong"))
    assert "No match is strong" in page.info[0].value
    assert [button for button in page.button if "Exclude" in button.label]


def test_what_is_stacked_is_told_of_in_the_tooltip(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    real = SearchEngine.answer

    def answer(engine: SearchEngine, query: Any) -> Any:
        found = real(engine, query)
        first, second, *others = found.hits
        return replace(found, hits=[replace(first, alike=(second.segment.id,)), *others])

    monkeypatch.setattr(SearchEngine, "answer", answer)
    page = opened(SearchLink(words="blue"))
    assert [len(hit["alike"]) for hit in grid(page)] == [1, 0, 0]
    (line,) = [caption for caption in page.caption if "shots" in caption.value]
    assert r"stacked behind these\: 1" in line.help


def test_a_search_begins_with_the_settings_file(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    monkeypatch.setenv("PRISMSEARCH_SETTINGS", str(file))
    file.write_text('[search]\nmin-strength = "likely"\nduplicates = "hide"\nper-video = 1\n')
    page = opened()
    assert page.session_state["link"] == SearchLink(least_level="likely", duplicates="hide", one_per_video=True)
    page = opened(SearchLink(words="red"))
    assert page.session_state["link"] == SearchLink(words="red"), "an address says all of its search"

    file.write_text("[search]\ntop-k = 'many'\n")  # it broke while the page runs
    page = opened()
    assert [each.value.replace("\\", "") for each in page.error] == [f"{file}: [search] top-k needs a whole number"]


def test_of_several_encoders_each_card_says_what_each_thinks(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"one": ColourEncoder(), "two": ColourEncoder(name="two", frames=2)}
    index_folders(library, known["two"], [library.directory.parent / "videos" / "sub"], IndexSettings())
    monkeypatch.setattr(compose, "open_encoder", lambda settings, *_: known[settings.encoder])
    monkeypatch.setenv(compose.ENCODER_VARIABLE, "one+two")
    page = opened(SearchLink(words="blue"))
    cards = grid(page)
    thought = {card["id"]: [each["encoder"] for each in card["opinions"]] for card in cards}
    assert len(cards) == 4
    assert sorted(len(names) for names in thought.values()) == [1, 1, 1, 2], "one was indexed with both"
    assert {name for names in thought.values() for name in names} == {"colour-t4-s16", "two-t2-s16"}
    assert "3 of 4 parts of shots are not indexed with two-t2-s16" in said(page)

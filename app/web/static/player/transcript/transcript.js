// Transcript: a panel with the words of a video beside the player. Nothing is loaded of a video without any.

import { api, isAbort, messageOf } from '../../core/api.js';
import { copyText } from '../../core/clipboard.js';
import { element, setText, useStyleSheet } from '../../core/dom.js';
import { loadStored, saveStored } from '../../core/storage.js';
import { LineList } from './line_list.js';
import { begunAt, linesAt, loadLines } from './timing.js';
import { bestTrack, KINDS, spokenTracks, trackNames } from './tracks.js';
import { folded, hasAll, shownText, termsOf, textOfLines } from './words.js';

const MOST_FOUND = 500; // lines that a search shows
const TYPING_MILLISECONDS = 120;
const STORED = { language: 'ps-transcript-language', hidden: 'ps-transcript-hidden' };

/** @typedef {import('../../core/types.js').TextLine} TextLine */
/** @typedef {import('../../core/types.js').TextTrack} TextTrack */

/**
 * @typedef {object} TranscriptCallbacks
 * @property {(line: TextLine) => void} play Play from the start of a line.
 * @property {() => void} leave Give the focus back to the player.
 */

/** Events: 'chapters' (others are known now), 'shown' (it is shown or hidden). */
export class Transcript extends EventTarget {
  /** @type {number | null} */
  video = null; // whose words are shown; null where there are none
  hidden = loadStored(STORED.hidden, false);
  /** @type {TextTrack[]} */
  tracks = [];
  /** @type {TextTrack | null} */
  spoken = null; // the track of what is said that is shown
  /** @type {Set<TextTrack['kind']>} */
  left = new Set(); // kinds that are not shown
  /** @type {TextLine[]} */
  lines = [];
  /** @type {Map<TextTrack['kind'], TextLine[]>} */
  byKind = new Map();
  /** @type {WeakMap<TextLine, string>} */
  folded = new WeakMap();
  /** @type {string[]} */
  terms = [];
  follows = true;
  now = 0;
  loading = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  typing = undefined;
  select = element('select', { class: 'ps-select', 'aria-label': 'Language', onchange: () => this.choose() });
  kinds = element('span', { class: 'ps-transcript-kinds' });
  box = element('input', {
    class: 'ps-transcript-box',
    type: 'search',
    placeholder: 'Find in the transcript',
    'aria-label': 'Find in the transcript',
    maxlength: '200',
    oninput: () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.find(), TYPING_MILLISECONDS);
    },
  });
  status = element('div', { class: 'ps-muted ps-transcript-status', role: 'status' });
  followButton = tool('Follow', 'Keep the line that is said in view', () => this.follow(true), 'true');
  list = new LineList({
    play: (line) => this.play(line),
    copy: () => this.copy(),
    scrolled: () => this.follow(false),
  });
  root = element(
    'section',
    { class: 'ps-transcript', 'aria-label': 'Transcript', onkeydown: (event) => this.escape(event) },
    element(
      'div',
      { class: 'ps-transcript-tools' },
      element('h2', { text: 'Transcript' }),
      this.followButton,
      tool('Copy', 'Copy the selected lines; all that are shown, where none is selected', () => this.copy()),
    ),
    element('div', { class: 'ps-transcript-tools' }, this.select, this.kinds),
    this.box,
    this.status,
    this.list.root,
  );

  /** @param {TranscriptCallbacks} callbacks */
  constructor(callbacks) {
    super();
    this.callbacks = callbacks;
  }

  /** Names of chapters, by start. */
  get chapters() {
    return this.byKind.get('chapter') ?? [];
  }

  /** Whether it is to be shown. */
  get shown() {
    return this.video !== null && !this.hidden;
  }

  /**
   * Show the words of a video; nothing where it is shown already.
   *
   * @param {number | null} video null for none.
   */
  async open(video) {
    if (video === this.video) return;
    this.close();
    this.video = video;
    this.emit('shown');
    if (video === null) return;
    await useStyleSheet('player/transcript/transcript.css');
    await this.load(async (signal) => {
      /** @type {{sources: TextTrack[]}} */
      const { sources } = await api(`/api/text/${video}`, { signal });
      this.tracks = sources;
      this.drawChoices();
      await this.loadTracks(video, signal);
    });
  }

  /** Forget the video, and what is being loaded of it. */
  close() {
    this.loading.abort();
    clearTimeout(this.typing);
    this.video = null;
    this.tracks = [];
    this.spoken = null;
    this.box.value = '';
    this.terms = [];
    this.forget();
  }

  forget() {
    this.lines = [];
    this.byKind = new Map();
    this.list.clear();
    this.emit('chapters');
  }

  /** @param {(signal: AbortSignal) => Promise<void>} run */
  async load(run) {
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    setText(this.status, 'Loading …');
    try {
      await run(signal);
    } catch (error) {
      if (!isAbort(error) && !signal.aborted) setText(this.status, `The words cannot be shown: ${messageOf(error)}`);
    }
  }

  /**
   * @param {number} video
   * @param {AbortSignal} signal
   */
  async loadTracks(video, signal) {
    this.forget();
    const chosen = this.tracks.filter((each) => !isSpoken(each) || each === this.spoken);
    let complete = true;
    if (chosen.length) {
      const ids = chosen.map(({ id }) => id);
      complete = await loadLines(video, ids, signal, (lines) => this.take(lines));
    }
    if (signal.aborted) return;
    this.say(complete ? '' : 'There are more lines than can be shown here.');
  }

  /** @param {TextLine[]} lines */
  take(lines) {
    this.lines = [...this.lines, ...lines];
    for (const line of lines) {
      const kind = this.kindOf(line);
      this.byKind.set(kind, [...(this.byKind.get(kind) ?? []), line]);
    }
    if (lines.some((line) => this.kindOf(line) === 'chapter')) this.emit('chapters');
    if (this.terms.length) this.draw();
    else
      this.list.append(
        lines.filter((line) => this.isShown(line)),
        (line) => this.kindOf(line),
        [],
      );
    this.at(this.now, true);
  }

  /** @param {TextLine} line */
  kindOf(line) {
    return this.tracks.find(({ id }) => id === line.source)?.kind ?? 'subtitle';
  }

  drawChoices() {
    const spoken = spokenTracks(this.tracks);
    this.spoken = bestTrack(spoken, [loadStored(STORED.language, ''), ...navigator.languages]);
    const names = trackNames(spoken);
    this.select.replaceChildren(
      ...spoken.map((each, at) => element('option', { value: String(each.id), text: names[at] })),
    );
    this.select.value = String(this.spoken?.id ?? '');
    this.select.hidden = spoken.length < 2;
    const others = /** @type {const} */ (['screen', 'chapter']).filter((kind) =>
      this.tracks.some((each) => each.kind === kind),
    );
    const alone = others.length + (spoken.length ? 1 : 0) < 2;
    this.left = new Set();
    this.kinds.replaceChildren(
      ...(alone ? [] : others).map((kind) => {
        const button = tool(
          KINDS[kind],
          `Show or hide: ${KINDS[kind].toLowerCase()}`,
          () => this.leave(kind, button),
          'true',
        );
        return button;
      }),
    );
  }

  choose() {
    this.spoken = this.tracks.find(({ id }) => String(id) === this.select.value) ?? null;
    if (this.spoken?.language) saveStored(STORED.language, this.spoken.language);
    const { video } = this;
    if (video !== null) void this.load((signal) => this.loadTracks(video, signal));
  }

  /**
   * @param {TextTrack['kind']} kind
   * @param {HTMLElement} button
   */
  leave(kind, button) {
    if (!this.left.delete(kind)) this.left.add(kind);
    button.setAttribute('aria-pressed', String(!this.left.has(kind)));
    this.draw();
  }

  find() {
    this.terms = termsOf(this.box.value);
    this.draw();
  }

  /** @param {TextLine} line */
  isShown(line) {
    if (this.left.has(this.kindOf(line))) return false;
    if (!this.terms.length) return true;
    let plain = this.folded.get(line);
    if (plain === undefined) {
      plain = folded(shownText(line.text).replace(/\s/g, ' '));
      this.folded.set(line, plain);
    }
    return hasAll(plain, this.terms);
  }

  draw() {
    const found = this.lines.filter((line) => this.isShown(line));
    const shown = this.terms.length ? found.slice(0, MOST_FOUND) : found;
    this.list.clear();
    this.list.append(shown, (line) => this.kindOf(line), this.terms);
    const more = found.length > shown.length ? `, the first ${shown.length} are shown` : '';
    this.say(this.terms.length ? `${found.length} ${found.length === 1 ? 'line' : 'lines'}${more}` : '');
    this.at(this.now, true);
  }

  /** @param {string} text */
  say(text) {
    setText(this.status, text);
  }

  /**
   * Tell what time of the video is shown.
   *
   * @param {number} seconds
   * @param {boolean} [redrawn] Whether the list has changed.
   */
  at(seconds, redrawn = false) {
    this.now = seconds;
    if (!this.shown || !this.lines.length) return;
    const now = [...this.byKind.values()].flatMap((lines) => linesAt(lines, seconds));
    const alike = now.length === this.list.current.length && now.every((line, at) => line === this.list.current[at]);
    if (alike && !redrawn) return;
    this.list.mark(now);
    if (this.follows) this.toNow();
  }

  /** Bring what is said now into view; what was said last, where nothing is. */
  toNow() {
    const { lines } = this.list;
    const said = this.list.current.findLast((line) => this.kindOf(line) !== 'chapter');
    const line = said ?? lines[Math.max(0, begunAt(lines, this.now) - 1)];
    if (line) this.list.reveal(line);
  }

  /** @param {boolean} whether */
  follow(whether) {
    this.follows = whether;
    this.followButton.setAttribute('aria-pressed', String(whether));
    if (whether) this.toNow();
  }

  /** @param {TextLine} line */
  play(line) {
    this.follow(true);
    if (document.activeElement === this.list.root && !this.list.root.matches(':focus-visible')) this.callbacks.leave();
    this.callbacks.play(line);
  }

  copy() {
    const { chosen } = this.list;
    if (chosen.length)
      void copyText(textOfLines(chosen), `Copied ${chosen.length} ${chosen.length === 1 ? 'line' : 'lines'}`);
  }

  /** Show or hide the panel; the choice holds for other videos, too. */
  toggle() {
    if (this.video === null) return;
    this.hidden = !this.hidden;
    saveStored(STORED.hidden, this.hidden);
    this.emit('shown');
    this.at(this.now, true);
  }

  /** @param {KeyboardEvent} event */
  escape(event) {
    if (event.key !== 'Escape') return;
    event.preventDefault(); // the player stays open
    if (event.target === this.box && this.box.value) {
      this.box.value = '';
      this.find();
      this.box.focus();
    } else this.callbacks.leave();
  }

  /** @param {string} name */
  emit(name) {
    this.dispatchEvent(new Event(name));
  }
}

/** @param {TextTrack} track */
function isSpoken({ kind }) {
  return kind === 'subtitle' || kind === 'speech';
}

/**
 * @param {string} text
 * @param {string} title
 * @param {() => unknown} run
 * @param {string | null} [pressed]
 */
function tool(text, title, run, pressed = null) {
  return element('button', {
    class: 'ps-chip-button',
    type: 'button',
    text,
    title,
    onclick: run,
    'aria-pressed': pressed,
  });
}

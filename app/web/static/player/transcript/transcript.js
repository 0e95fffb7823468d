// Transcript: a panel with the words of a video beside the player. Nothing is loaded of a video without any.

import { api, isAbort, messageOf } from '../../core/api.js';
import { copyText } from '../../core/clipboard.js';
import { element, setText, useStyleSheet } from '../../core/dom.js';
import { loadStored, saveStored } from '../../core/storage.js';
import { Choices, panelButton } from './choices.js';
import { LineList } from './line_list.js';
import { TranscriptLines } from './lines.js';
import { begunAt, loadLines } from './timing.js';
import { termsOf, textOfLines } from './words.js';

const MOST_FOUND = 500; // lines that a search shows
const TYPING_MILLISECONDS = 120;
const STORED_HIDDEN = 'ps-transcript-hidden';

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
  hidden = loadStored(STORED_HIDDEN, false);
  lines = new TranscriptLines();
  choices = new Choices();
  follows = true;
  now = 0;
  loading = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  typing = undefined;
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
  followButton = panelButton('Follow', 'Keep the line that is said in view', () => this.follow(!this.follows), 'true');
  list = new LineList({
    play: (line) => this.play(line),
    copy: () => this.copy(),
    leave: () => this.callbacks.leave(),
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
      panelButton('Copy', 'Copy the selected lines; all that are shown, where none is selected', () => this.copy()),
    ),
    this.choices.root,
    this.box,
    this.status,
    this.list.root,
  );

  /** @param {TranscriptCallbacks} callbacks */
  constructor(callbacks) {
    super();
    this.callbacks = callbacks;
    this.choices.addEventListener('track', () => {
      const { video } = this;
      if (video !== null) void this.load((signal) => this.loadTracks(video, signal));
    });
    this.choices.addEventListener('kinds', () => this.draw());
  }

  /** Whether it is to be shown. */
  get shown() {
    return this.video !== null && !this.hidden;
  }

  /**
   * Show the words of a video, unless they are shown already.
   *
   * @param {number | null} video null for none.
   * @param {number | null} [source] The track to show, of those of what is said; by default, one that suits the person.
   */
  async open(video, source = null) {
    if (video === this.video) {
      if (this.choices.prefer(source)) this.choices.dispatchEvent(new Event('track'));
      return;
    }
    this.close();
    this.video = video;
    if (video !== null) await useStyleSheet('player/transcript/transcript.css');
    if (video !== this.video) return;
    this.emit('shown');
    if (video === null) return;
    await this.load(async (signal) => {
      /** @type {{sources: TextTrack[]}} */
      const { sources } = await api(`/api/text/${video}`, { signal });
      if (signal.aborted) return;
      this.choices.offer(sources, source);
      this.lines = new TranscriptLines(sources);
      await this.loadTracks(video, signal);
    });
  }

  /** Forget the video, and what is being loaded of it. */
  close() {
    this.loading.abort();
    clearTimeout(this.typing);
    this.video = null;
    this.box.value = '';
    this.choices.offer([]);
    this.lines = new TranscriptLines();
    this.list.clear();
    setText(this.status, '');
    this.follow(true);
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
    this.lines.clear();
    this.list.clear();
    const ids = this.choices.chosen.map(({ id }) => id);
    const complete =
      !ids.length || (await loadLines(video, ids, signal, (lines) => !signal.aborted && this.take(lines)));
    if (signal.aborted) return;
    this.emit('chapters');
    if (this.lines.terms.length) this.draw();
    else setText(this.status, complete ? '' : 'There are more lines than can be shown here.');
  }

  /** @param {TextLine[]} lines */
  take(lines) {
    this.lines.take(lines);
    if (this.lines.terms.length) return; // found once all are there
    this.list.append(this.lines.shown(lines), (line) => this.lines.kindOf(line), []);
    this.at(this.now, true);
  }

  find() {
    this.lines.terms = termsOf(this.box.value);
    this.draw();
  }

  draw() {
    const { lines, list } = this;
    lines.left = this.choices.left;
    const found = lines.shown();
    const shown = lines.terms.length ? found.slice(0, MOST_FOUND) : found;
    list.clear();
    list.append(shown, (line) => lines.kindOf(line), lines.terms);
    const more = found.length > shown.length ? `, the first ${shown.length} are shown` : '';
    setText(this.status, lines.terms.length ? countText(found.length) + more : '');
    this.at(this.now, true);
  }

  /**
   * Tell what time of the video is shown.
   *
   * @param {number} seconds
   * @param {boolean} [redrawn] Whether the list has changed.
   */
  at(seconds, redrawn = false) {
    this.now = seconds;
    if (!this.shown || !this.list.lines.length) return;
    const said = this.lines.at(seconds);
    if (!this.list.mark(said) && !redrawn) return;
    if (this.follows) this.toNow();
  }

  /** Bring what is said now into view; what was said last, where nothing is. */
  toNow() {
    const { lines, current } = this.list;
    const said = current.findLast((line) => this.lines.kindOf(line) !== 'chapter');
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
    this.callbacks.play(line);
  }

  copy() {
    const { chosen } = this.list;
    if (chosen.length) void copyText(textOfLines(chosen), `Copied ${countText(chosen.length)}`);
  }

  /** Show or hide the panel; the choice holds for other videos, too. */
  toggle() {
    if (this.video === null) return;
    this.hidden = !this.hidden;
    saveStored(STORED_HIDDEN, this.hidden);
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

/** @param {number} lines */
function countText(lines) {
  return `${lines} ${lines === 1 ? 'line' : 'lines'}`;
}

// Player: a dialog that plays one shot from its exact start to its end, with its neighbours below, and marks a range to
// search with or to keep. Where the library has the words of the video, they are beside it.

import { api } from '../core/api.js';
import { element, overlayHome, setText, useStyles } from '../core/dom.js';
import { addKeys, onControl, showHelp } from '../core/keys.js';
import { partText } from '../core/shot_text.js';
import { clock, durationText, timecodeAt } from '../core/timecode.js';
import { attempt, toast } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { Deck } from './deck.js';
import { Marks, newSubclip, ptsOf } from './marks.js';
import { MomentLine } from './moment_line.js';
import { goOnward } from './onward.js';
import { scrub } from './scrub.js';
import { secondsAt, shareOf } from './stretch.js';
import { Transcript } from './transcript/transcript.js';
import { videoAddress } from './video_address.js';

const AROUND = 8; // neighbours on either side
const NO_MOMENTS = 'Moments are those of hits: search for something by the picture, and open a hit.';
const UNKNOWN_FRAMES = 'The frames of this file could not be read, so no range can be marked.';

/** @typedef {import('../core/types.js').PlayerItem} PlayerItem */
/** @typedef {import('../core/types.js').PtsRange} PtsRange */

/**
 * Callbacks of the player. Those that are missing have no button.
 *
 * @typedef {object} PlayerCallbacks
 * @property {(segment: number) => void} [onLike]
 * @property {(segment: number) => void} [onExclude]
 * @property {(range: PtsRange & {segment: number}) => void} [onRange]
 * @property {(segment: number | null) => void} [onClose] Called with the segment that was shown last.
 * @property {import('../core/moments.js').Moments | null} [moments] Those of the search that found the segments.
 */

/**
 * Open the player, in place of one that is open.
 *
 * @param {PlayerItem[]} items Segments to walk through with Up and Down.
 * @param {number} [at] Index of the first one to play.
 * @param {PlayerCallbacks} [callbacks]
 * @returns {HTMLDialogElement}
 */
export function openPlayer(items, at = 0, callbacks = {}) {
  void useStyles();
  /** @type {HTMLDialogElement | null} */
  const open = document.querySelector('dialog.ps-player');
  open?.close();
  return new Player(items, at, callbacks).dialog;
}

/**
 * Create a button that shows its key.
 *
 * @param {string} label
 * @param {() => unknown} run
 * @param {string} key
 * @param {{hidden?: boolean, disabled?: boolean, 'aria-pressed'?: string}} [extra] Properties and attributes.
 */
function keyButton(label, run, key, extra = {}) {
  const text = element('span', { text: label });
  const button = element(
    'button',
    { class: 'ps-button', type: 'button', onclick: run, title: `${label} (${key})`, ...extra },
    text,
    element('kbd', { text: key }),
  );
  return { button, text };
}

/**
 * Return the bounds of playing a segment.
 *
 * @param {{start: number, end: number}} segment Seconds.
 * @returns {import('./bounds.js').Bounds}
 */
function boundsOf({ start, end }) {
  return { from: start, to: end };
}

class Player {
  marks = new Marks();
  video = element('video', { class: 'ps-video', 'aria-label': 'Shot' });
  title = element('div', { class: 'ps-player-title' });
  place = element('div', { class: 'ps-muted ps-player-place' });
  status = element('div', { class: 'ps-player-status', role: 'status' });
  time = element('div', { class: 'ps-time', 'aria-live': 'off' });
  range = element('div', { class: 'ps-strip-range' });
  marked = element('div', { class: 'ps-strip-marked', hidden: true });
  suggested = element('div', { class: 'ps-strip-moment', hidden: true });
  head = element('div', { class: 'ps-strip-head' });
  chapters = element('div', { 'aria-hidden': 'true' });
  strip = element(
    'div',
    { class: 'ps-strip', role: 'slider', tabindex: '0', 'aria-label': 'Time', 'data-ps-keys': '' },
    this.range,
    this.suggested,
    this.marked,
    this.chapters,
    this.head,
  );
  neighbours = element('div', { class: 'ps-neighbours', 'aria-label': 'Shots before and after' });
  wholeVideo = element('a', { class: 'ps-button', text: 'Whole video' });
  deck = new Deck(this.video);
  playControl = keyButton('Play', () => this.deck.toggle(), 'Space');
  loopButton = keyButton('Loop', () => this.toggleLoop(), 'R', { 'aria-pressed': 'false' }).button;
  muteButton = keyButton('Mute', () => this.toggleMute(), 'A', { 'aria-pressed': 'false' }).button;
  clearButton = keyButton('Clear', () => this.clearMarks(), 'X', { hidden: true }).button;
  rangeButton = keyButton('Search range', () => this.searchRange(), 'F', { disabled: true }).button;
  trayControl = keyButton('Add to tray', () => this.keep(), 'S');
  transcript = new Transcript({
    play: (line) => this.playLine(line),
    leave: () => this.dialog.focus({ preventScroll: true }),
  });
  transcriptButton = keyButton('Transcript', () => this.transcript.toggle(), 'W', {
    hidden: true,
    'aria-pressed': 'false',
  }).button;

  /**
   * @param {PlayerItem[]} items
   * @param {number} at
   * @param {PlayerCallbacks} callbacks
   */
  constructor(items, at, callbacks) {
    this.items = items;
    this.at = at;
    this.callbacks = callbacks;
    this.moment = new MomentLine(callbacks.moments ?? null, (seconds) => this.codeAt(seconds));
    this.dialog = this.build();
    this.deck.addEventListener('info', () => this.openTranscript());
    this.deck.addEventListener('frame', () => this.drawTime());
    this.transcript.addEventListener('shown', () => this.drawTranscript());
    this.transcript.addEventListener('chapters', () => this.drawChapters());
    goOnward(this.deck, () => this.drawStrip());
    this.deck.addEventListener('state', () => this.drawState());
    this.removeKeys = addKeys('Player', this.keys(), { modal: true });
    this.unwatch = tray.watch();
    this.onTray = () => this.drawTray();
    tray.addEventListener('change', this.onTray);
    this.before = document.activeElement;
    overlayHome().append(this.dialog);
    this.dialog.showModal();
    this.dialog.focus();
    void this.open(items[at].id, items[at].from);
  }

  build() {
    const { onLike, onExclude, onRange, moments } = this.callbacks;
    this.strip.addEventListener('pointerdown', (event) => this.scrub(event));
    this.video.addEventListener('click', () => this.deck.toggle());
    /** @type {HTMLDialogElement} */
    const dialog = element(
      'dialog',
      { class: 'ps-dialog ps-player', 'aria-label': 'Player', tabindex: '-1' },
      element(
        'header',
        {},
        element('div', { class: 'ps-grow' }, this.title, this.place),
        element('button', {
          class: 'ps-icon',
          'aria-label': 'Close',
          title: 'Close (Esc)',
          text: '×',
          onclick: () => dialog.close(),
        }),
      ),
      element('div', { class: 'ps-stage' }, this.video, this.status),
      element('div', { class: 'ps-timeline-row' }, this.strip, this.time, this.moment.root),
      element(
        'div',
        { class: 'ps-controls' },
        this.playControl.button,
        this.loopButton,
        this.muteButton,
        element('span', { class: 'ps-gap' }),
        keyButton('In', () => this.mark('in'), 'I').button,
        keyButton('Out', () => this.mark('out'), 'O').button,
        moments && keyButton('Moment', () => this.markMoment(), 'E').button,
        this.clearButton,
        onRange && this.rangeButton,
        element('span', { class: 'ps-gap' }),
        this.trayControl.button,
        onLike && keyButton('More like this', () => this.leaveWith(onLike), 'M').button,
        onExclude && keyButton('Less like this', () => this.leaveWith(onExclude), 'N').button,
        this.wholeVideo,
        this.transcriptButton,
      ),
      this.neighbours,
    );
    dialog.addEventListener('close', () => this.close());
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
    return dialog;
  }

  /** @returns {import('../core/keys.js').Key[]} */
  keys() {
    const { deck } = this;
    const { onLike, onExclude } = this.callbacks;
    return [
      { key: ' ', label: 'Play or pause', run: (event) => (onControl(event) ? false : deck.toggle()) },
      { key: 'k K', label: 'Pause', run: () => deck.pause() },
      { key: 'l L', label: 'Play; press again to speed up', run: () => deck.shuttle(1) },
      { key: 'j J', label: 'Play backwards; press again to speed up', run: () => deck.shuttle(-1) },
      { key: ', ArrowLeft', label: 'One frame back', run: () => deck.step(-1) },
      { key: '. ArrowRight', label: 'One frame forward', run: () => deck.step(1) },
      { key: 'Shift+ArrowLeft', label: 'One second back', run: () => this.seekTo(deck.now - 1) },
      { key: 'Shift+ArrowRight', label: 'One second forward', run: () => this.seekTo(deck.now + 1) },
      { key: 'Home', label: 'Go to the start of the shot', run: () => this.toStart() },
      { key: 'End', label: 'Go to its last frame', run: () => this.toEnd() },
      { key: 'i I', label: 'Mark in', run: () => this.mark('in') },
      { key: 'o O', label: 'Mark out', run: () => this.mark('out') },
      { key: 'e E', label: 'Mark the moment that answers the search', run: () => this.markMoment() },
      { key: 'x X', label: 'Clear marks', run: () => this.clearMarks() },
      { key: 's S', label: 'Add shot or marked range to tray', run: () => this.keep() },
      { key: 'f F', label: 'Search with the marked range', run: () => this.searchRange() },
      { key: 'm M', label: 'More like this', run: () => onLike && this.leaveWith(onLike) },
      { key: 'n N', label: 'Less like this', run: () => onExclude && this.leaveWith(onExclude) },
      { key: 'r R', label: 'Loop', run: () => this.toggleLoop() },
      { key: 'a A', label: 'Sound on or off', run: () => this.toggleMute() },
      { key: 'w W', label: 'Show or hide the transcript', run: () => this.transcript.toggle() },
      { key: '/', label: 'Find in the transcript', run: () => this.findWords() },
      { key: 'ArrowUp', label: 'Previous result', run: () => this.walk(-1) },
      { key: 'ArrowDown', label: 'Next result', run: () => this.walk(1) },
      { key: 'Enter', label: '', hidden: true, run: () => false },
      { key: 'Escape', label: 'Close', run: () => this.dialog.close() },
      { key: '?', label: 'Show keyboard shortcuts', run: () => showHelp() },
    ];
  }

  /**
   * @param {number} segment
   * @param {number | null} [from] Seconds to play from, and on; by default, the segment is played.
   */
  async open(segment, from = null) {
    this.marks.clear();
    this.moment.clear();
    this.title.textContent = '';
    this.place.textContent = '';
    this.video.poster = `/api/poster/${segment}`;
    const info = await attempt(() => this.deck.load(segment));
    if (!info || this.deck.info !== info) return;
    setText(this.title, info.name);
    this.title.title = info.path;
    setText(
      this.place,
      `${clock(info.start)} to ${clock(info.end)} · ${durationText(info.end - info.start)} · ${[`shot ${info.shot + 1}`, partText(info)].filter(Boolean).join(', ')} · ${info.width}×${info.height} · ${info.folder}`,
    );
    this.wholeVideo.href = videoAddress(info.video, location.search);
    this.deck.stop = from === null ? boundsOf(info) : null;
    this.dialog.dataset.segment = String(segment);
    this.drawTray();
    this.drawStrip();
    this.drawTime();
    void this.fillNeighbours(segment);
    void this.moment.find(segment).then(() => this.drawStrip()); // shows its errors itself
    if (this.deck.status === 'ready') {
      this.deck.show(this.deck.times.indexFrom(from ?? info.start));
      void this.deck.play();
    }
  }

  /**
   * Show the shots before and after; none where the request fails.
   *
   * @param {number} segment
   */
  async fillNeighbours(segment) {
    /** @type {{items: import('../core/types.js').Neighbour[]} | null} */
    const found = await api(`/api/neighbours/${segment}?before=${AROUND}&after=${AROUND}`).catch(() => null);
    if (!found || this.deck.info?.id !== segment) return;
    this.neighbours.replaceChildren(
      ...found.items.map((each) =>
        element(
          'button',
          {
            class: `ps-neighbour${each.id === segment ? ' ps-current' : ''}`,
            type: 'button',
            'aria-label': ['Shot at', clock(each.start), partText(each)].filter(Boolean).join(' '),
            'aria-current': each.id === segment ? 'true' : null,
            title: [clock(each.start), durationText(each.end - each.start), partText(each)].filter(Boolean).join(' · '),
            onclick: () => this.open(each.id),
          },
          element('img', { src: `/api/poster/${each.id}`, alt: '', loading: 'lazy' }),
          element('span', { text: clock(each.start) }),
        ),
      ),
    );
    this.neighbours.querySelector('.ps-current')?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }

  /**
   * Play from the start of a line, and on.
   *
   * @param {import('../core/types.js').TextLine} line
   */
  playLine({ start, segment }) {
    const { deck } = this;
    if (deck.status === 'ready' && start >= deck.first && start < deck.last) {
      deck.stop = null;
      deck.show(deck.times.indexFrom(start));
      void deck.play();
    } else if (segment !== null) void this.open(segment, start);
  }

  openTranscript() {
    const { info } = this.deck;
    const item = this.items[this.at];
    const source = item.id === info?.id ? item.source : undefined;
    void this.transcript.open(info?.has_text ? info.video : null, source ?? null);
  }

  findWords() {
    if (this.transcript.video === null) return false;
    if (!this.transcript.shown) this.transcript.toggle();
    this.transcript.box.focus();
    return true;
  }

  /** @param {number} by */
  walk(by) {
    const next = this.at + by;
    if (next < 0 || next >= this.items.length) {
      toast(by < 0 ? 'This is the first result' : 'This is the last result');
      return;
    }
    this.at = next;
    void this.open(this.items[next].id, this.items[next].from);
  }

  /** @param {number} seconds */
  seekTo(seconds) {
    this.deck.pause();
    this.deck.seekTo(seconds);
  }

  toStart() {
    const { deck } = this;
    if (deck.info) deck.show(deck.times.indexFrom(deck.info.start));
  }

  toEnd() {
    const { deck } = this;
    if (!deck.info) return;
    deck.pause();
    deck.show(deck.times.indexBefore(deck.info.end));
  }

  markedRange() {
    const { deck } = this;
    return deck.info && this.marks.range(deck.times, deck.info, deck.first);
  }

  /** @param {import('./marks.js').Point} which */
  mark(which) {
    if (this.deck.status !== 'ready') return;
    this.marks.set(which, this.deck.index);
    this.deck.stop = null;
    this.drawStrip();
    this.drawTime();
  }

  /** Mark the moment once it is found, and play it. */
  async markMoment() {
    const { deck, callbacks } = this;
    const { info } = deck;
    if (!callbacks.moments) toast(NO_MOMENTS);
    const moment = await this.moment.found;
    if (!moment || !info || deck.info !== info || deck.status !== 'ready') return;
    const [from, to] = [moment.start_seconds, moment.end_seconds];
    if (from < deck.first || to > deck.last) {
      await attempt(() => deck.load(info.id, { from: Math.min(from, info.start), to: Math.max(to, info.end) }));
      if (deck.info?.id !== info.id || this.moment.moment !== moment || deck.status !== 'ready') return;
    }
    this.marks.set('in', deck.times.clamp(deck.times.indexFrom(from), deck));
    this.marks.set('out', deck.times.clamp(deck.times.indexBefore(to), deck));
    deck.stop = { from, to };
    this.drawStrip();
    deck.pause();
    deck.show(deck.times.indexFrom(from));
    this.drawTime();
    void deck.play();
  }

  clearMarks() {
    const { info } = this.deck;
    if (!info) return;
    this.marks.clear();
    this.deck.stop = boundsOf(info);
    this.drawStrip();
    this.drawTime();
  }

  toggleLoop() {
    const { deck } = this;
    if (!deck.info) return;
    deck.loop = !deck.loop;
    deck.stop ??= boundsOf(deck.info);
    this.loopButton.setAttribute('aria-pressed', String(deck.loop));
    if (deck.loop && deck.paused) void deck.play();
  }

  toggleMute() {
    this.video.muted = !this.video.muted;
    this.muteButton.setAttribute('aria-pressed', String(this.video.muted));
  }

  keep() {
    const { info } = this.deck;
    if (!info) return;
    const range = this.markedRange();
    if (range && !ptsOf(range)) {
      toast(UNKNOWN_FRAMES, { kind: 'error' });
      return;
    }
    const item = this.items[this.at];
    void tray.add([newSubclip(info.id, range, item?.id === info.id ? item.score : undefined)]);
  }

  searchRange() {
    const { onRange } = this.callbacks;
    const { info } = this.deck;
    if (!onRange || !info) return;
    const marked = this.markedRange();
    if (!marked) {
      toast('Mark a range first: press I at its first frame and O at its last');
      return;
    }
    const range = ptsOf(marked);
    if (range) this.leaveWith((segment) => onRange({ segment, ...range }));
    else toast(UNKNOWN_FRAMES, { kind: 'error' });
  }

  /**
   * Close the player, and hand over the segment that it showed.
   *
   * @param {(segment: number) => void} then
   */
  leaveWith(then) {
    const { info } = this.deck;
    if (!info) return;
    this.dialog.close();
    then(info.id);
  }

  /** @param {PointerEvent} event */
  scrub(event) {
    this.deck.pause();
    scrub(this.strip, event, (share) => {
      this.deck.stop = null;
      this.deck.seekTo(secondsAt(share, this.deck));
    });
  }

  drawStrip() {
    const { deck } = this;
    if (!deck.info) return;
    /**
     * @param {HTMLElement} part
     * @param {{start: number, end: number}} range Seconds.
     */
    const place = (part, { start, end }) => {
      part.style.left = `${100 * shareOf(start, deck)}%`;
      part.style.width = `${100 * (shareOf(end, deck) - shareOf(start, deck))}%`;
    };
    place(this.range, deck.info);
    const marked = this.markedRange();
    this.marked.hidden = marked === null;
    this.clearButton.hidden = marked === null;
    this.rangeButton.disabled = marked === null;
    if (marked) place(this.marked, marked);
    const { moment } = this.moment;
    this.suggested.hidden = moment === null;
    if (moment) place(this.suggested, { start: moment.start_seconds, end: moment.end_seconds });
    this.drawChapters();
  }

  /** Show the transcript, or none. It is in the document only where there are words. */
  drawTranscript() {
    const { transcript, transcriptButton } = this;
    const { shown, root } = transcript;
    transcriptButton.hidden = transcript.video === null;
    transcriptButton.setAttribute('aria-pressed', String(shown));
    this.dialog.classList.toggle('ps-with-text', shown);
    if (shown) this.neighbours.before(root);
    else root.remove();
  }

  /** Mark the starts of chapters on the strip. */
  drawChapters() {
    const { deck } = this;
    const within = this.transcript.lines.chapters.filter(({ start }) => start >= deck.first && start < deck.last);
    this.chapters.replaceChildren(
      ...within.map(({ start, text }) => {
        const mark = element('div', { class: 'ps-strip-chapter', title: `${clock(start)} ${text.slice(0, 200)}` });
        mark.style.left = `${100 * shareOf(start, deck)}%`;
        return mark;
      }),
    );
  }

  drawTime() {
    const { deck } = this;
    const { info } = deck;
    if (!info) return;
    this.transcript.at(deck.now);
    this.head.style.left = `${100 * shareOf(deck.now, deck)}%`;
    /** @param {number} number */
    const codeOf = (number) => timecodeAt(number, deck.rate, info.timecode);
    const frame = deck.numberOf(deck.now);
    const parts = [
      element('strong', { text: codeOf(frame) }),
      element('span', { class: 'ps-muted', text: `frame ${frame}` }),
    ];
    const marked = this.markedRange();
    if (marked) {
      const [from, to] = [deck.numberOf(marked.start), deck.numberOf(marked.end)];
      const text = `in ${codeOf(from)} (frame ${from}), out ${codeOf(to)} (frame ${to}), ${marked.last - marked.first + 1} frames`;
      parts.push(element('span', { class: 'ps-marks', text }));
    }
    this.time.replaceChildren(...parts);
    this.strip.setAttribute('aria-valuetext', `${codeOf(frame)}, frame ${frame}`);
    this.dialog.dataset.frame = String(frame);
  }

  /** @param {number} seconds */
  codeAt(seconds) {
    const { deck } = this;
    return timecodeAt(deck.numberOf(seconds), deck.rate, deck.info?.timecode ?? '');
  }

  drawState() {
    const { deck } = this;
    this.playControl.text.textContent = deck.paused ? 'Play' : 'Pause';
    const failed = deck.status === 'failed';
    this.status.textContent = deck.status === 'loading' ? deck.message || 'Loading …' : deck.message;
    this.status.hidden = deck.status === 'ready' || deck.status === 'empty';
    this.status.classList.toggle('ps-error', failed);
    this.dialog.dataset.state = deck.status === 'ready' ? (deck.paused ? 'paused' : 'playing') : deck.status;
    this.muteButton.setAttribute('aria-pressed', String(this.video.muted));
  }

  drawTray() {
    const kept = this.deck.info && tray.has(this.deck.info.id);
    this.trayControl.text.textContent = kept ? 'In tray' : 'Add to tray';
  }

  close() {
    const segment = this.deck.info?.id ?? null;
    this.transcript.close();
    this.moment.clear();
    this.deck.unload();
    this.removeKeys();
    this.unwatch();
    tray.removeEventListener('change', this.onTray);
    this.dialog.remove();
    if (this.before instanceof HTMLElement) this.before.focus({ preventScroll: true });
    this.callbacks.onClose?.(segment); // last: it may give the focus to the shot that was shown last
  }
}

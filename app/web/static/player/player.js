// Player: a dialog that plays one shot from its exact start to its end, with its neighbours below, and marks a range to
// search with or to keep.

import { api } from '../core/api.js';
import { element, overlayHome, useStyles } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { clock, durationText, timecodeAt } from '../core/timecode.js';
import { attempt, toast } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { Deck } from './deck.js';

const AROUND = 8; // neighbours on either side

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
  useStyles();
  document.querySelector('dialog.ps-player')?.close();
  return new Player(items, at, callbacks).dialog;
}

class Player {
  constructor(items, at, callbacks) {
    this.items = items;
    this.at = at;
    this.callbacks = callbacks;
    this.build();
    this.deck = new Deck(this.video);
    this.deck.addEventListener('frame', () => this.drawTime());
    this.deck.addEventListener('state', () => this.drawState());
    this.removeKeys = addKeys('Player', this.keys(), { modal: true });
    this.unwatch = tray.watch();
    this.onTray = () => this.drawTray();
    tray.addEventListener('change', this.onTray);
    this.before = document.activeElement;
    overlayHome().append(this.dialog);
    this.dialog.showModal();
    this.dialog.focus();
    this.open(items[at].id);
  }

  build() {
    const button = (label, run, key, extra = {}) =>
      element(
        'button',
        { class: 'ps-button', type: 'button', onclick: run, title: key ? `${label} (${key})` : label, ...extra },
        element('span', { text: label }),
        key ? element('kbd', { text: key }) : null,
      );
    this.video = element('video', { class: 'ps-video', 'aria-label': 'Shot' });
    this.title = element('div', { class: 'ps-player-title' });
    this.place = element('div', { class: 'ps-muted ps-player-place' });
    this.status = element('div', { class: 'ps-player-status', role: 'status' });
    this.time = element('div', { class: 'ps-time', 'aria-live': 'off' });
    this.range = element('div', { class: 'ps-strip-range' });
    this.marked = element('div', { class: 'ps-strip-marked', hidden: true });
    this.head = element('div', { class: 'ps-strip-head' });
    this.strip = element(
      'div',
      { class: 'ps-strip', role: 'slider', tabindex: '0', 'aria-label': 'Time', 'data-ps-keys': '' },
      this.range,
      this.marked,
      this.head,
    );
    this.strip.addEventListener('pointerdown', (event) => this.scrub(event));
    this.playButton = button('Play', () => this.deck.toggle(), 'Space');
    this.loopButton = button('Loop', () => this.toggleLoop(), 'R', { 'aria-pressed': 'false' });
    this.muteButton = button('Mute', () => this.toggleMute(), 'A', { 'aria-pressed': 'false' });
    this.inButton = button('In', () => this.mark('in'), 'I');
    this.outButton = button('Out', () => this.mark('out'), 'O');
    this.clearButton = button('Clear', () => this.clearMarks(), 'X', { hidden: true });
    this.trayButton = button('Add to tray', () => this.keep(), 'S');
    this.rangeButton = button('Search range', () => this.searchRange(), 'F', { disabled: true });
    const { onLike, onExclude, onRange } = this.callbacks;
    this.neighbours = element('div', { class: 'ps-neighbours', 'aria-label': 'Shots before and after' });
    this.wholeVideo = element('a', { class: 'ps-button', text: 'Whole video' });
    this.dialog = element(
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
          onclick: () => this.dialog.close(),
        }),
      ),
      element('div', { class: 'ps-stage' }, this.video, this.status),
      element('div', { class: 'ps-timeline-row' }, this.strip, this.time),
      element(
        'div',
        { class: 'ps-controls' },
        this.playButton,
        this.loopButton,
        this.muteButton,
        element('span', { class: 'ps-gap' }),
        this.inButton,
        this.outButton,
        this.clearButton,
        onRange ? this.rangeButton : null,
        element('span', { class: 'ps-gap' }),
        this.trayButton,
        onLike ? button('More like this', () => this.leave(() => onLike(this.deck.info.id)), 'M') : null,
        onExclude ? button('Less like this', () => this.leave(() => onExclude(this.deck.info.id)), 'N') : null,
        this.wholeVideo,
      ),
      this.neighbours,
    );
    this.dialog.addEventListener('close', () => this.close());
    this.dialog.addEventListener('click', (event) => event.target === this.dialog && this.dialog.close());
    this.video.addEventListener('click', () => this.deck.toggle());
  }

  keys() {
    const deck = () => this.deck;
    return [
      { key: ' ', label: 'Play or pause', run: (event) => (onControl(event) ? false : deck().toggle()) },
      { key: 'k K', label: 'Pause', run: () => deck().pause() },
      { key: 'l L', label: 'Play; again: quicker', run: () => deck().shuttle(1) },
      { key: 'j J', label: 'Play backwards; again: quicker', run: () => deck().shuttle(-1) },
      { key: ', ArrowLeft', label: 'One frame back', run: () => deck().step(-1) },
      { key: '. ArrowRight', label: 'One frame on', run: () => deck().step(1) },
      {
        key: 'Shift+ArrowLeft',
        label: 'One second back',
        run: () => {
          deck().pause();
          deck().seekTo(deck().now - 1);
        },
      },
      {
        key: 'Shift+ArrowRight',
        label: 'One second on',
        run: () => {
          deck().pause();
          deck().seekTo(deck().now + 1);
        },
      },
      { key: 'Home', label: 'To the start of the shot', run: () => deck().show(deck().indexFrom(this.limits().from)) },
      {
        key: 'End',
        label: 'To its last frame',
        run: () => {
          deck().pause();
          deck().seekTo(this.limits().to - 1e-3);
        },
      },
      { key: 'i I', label: 'Mark the start (in)', run: () => this.mark('in') },
      { key: 'o O', label: 'Mark the end (out)', run: () => this.mark('out') },
      { key: 'x X', label: 'Clear the marks', run: () => this.clearMarks() },
      { key: 's S', label: 'Add shot or marked range to the tray', run: () => this.keep() },
      { key: 'f F', label: 'Search with the marked range', run: () => this.searchRange() },
      {
        key: 'm M',
        label: 'More like this',
        run: () => this.callbacks.onLike && this.leave(() => this.callbacks.onLike(this.deck.info.id)),
      },
      {
        key: 'n N',
        label: 'Less like this',
        run: () => this.callbacks.onExclude && this.leave(() => this.callbacks.onExclude(this.deck.info.id)),
      },
      { key: 'r R', label: 'Loop', run: () => this.toggleLoop() },
      { key: 'a A', label: 'Sound on or off', run: () => this.toggleMute() },
      { key: 'ArrowUp', label: 'Previous result', run: () => this.walk(-1) },
      { key: 'ArrowDown', label: 'Next result', run: () => this.walk(1) },
      { key: 'Enter', label: '', hidden: true, run: () => false },
      { key: 'Escape', label: 'Close', run: () => this.dialog.close() },
      { key: '?', label: 'These keys', run: () => import('../core/keys.js').then((keys) => keys.showHelp()) },
    ];
  }

  async open(segment) {
    this.marks = { in: null, out: null };
    this.title.textContent = '';
    this.place.textContent = '';
    this.video.poster = `/api/poster/${segment}`;
    const info = await attempt(() => this.deck.load(segment));
    if (!info || this.deck.info !== info) return;
    this.title.textContent = info.name;
    this.title.title = info.path;
    this.place.textContent = `${clock(info.start)} to ${clock(info.end)} · ${durationText(info.end - info.start)} · shot ${info.shot + 1} · ${info.width}×${info.height} · ${info.folder}`;
    // With the search of the page's address: it colours the video's timeline.
    const search = new URLSearchParams(location.search);
    for (const name of ['video', 'collection', 'export']) search.delete(name);
    this.wholeVideo.href = `library?video=${info.video}${search.size ? `&${search}` : ''}`;
    this.deck.stop = { from: info.start, to: info.end };
    this.dialog.dataset.segment = String(segment);
    this.drawTray();
    this.drawStrip();
    this.drawTime();
    this.fillNeighbours(segment);
    if (this.deck.status === 'ready') {
      this.deck.show(this.deck.indexFrom(info.start));
      this.deck.play();
    }
  }

  async fillNeighbours(segment) {
    const found = await api(`/api/neighbours/${segment}?before=${AROUND}&after=${AROUND}`).catch(() => null);
    if (!found || this.deck.info?.id !== segment) return;
    this.neighbours.replaceChildren(
      ...found.items.map((each) =>
        element(
          'button',
          {
            class: `ps-neighbour${each.id === segment ? ' ps-current' : ''}`,
            type: 'button',
            'aria-label': `Shot at ${clock(each.start)}`,
            'aria-current': each.id === segment ? 'true' : null,
            title: `${clock(each.start)} · ${durationText(each.end - each.start)}`,
            onclick: () => this.open(each.id),
          },
          element('img', { src: `/api/poster/${each.id}`, alt: '', loading: 'lazy' }),
          element('span', { text: clock(each.start).slice(0, 8) }),
        ),
      ),
    );
    this.neighbours.querySelector('.ps-current')?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }

  limits() {
    const { start, end } = this.deck.info;
    return { from: start, to: end };
  }

  walk(by) {
    const next = this.at + by;
    if (next < 0 || next >= this.items.length) {
      toast(by < 0 ? 'This is the first result' : 'This is the last result');
      return;
    }
    this.at = next;
    this.open(this.items[next].id);
  }

  /** Return the marked frames with their times and pts, the out frame included; null where none are marked. */
  markedRange() {
    const { in: from, out: to } = this.marks;
    if (from === null && to === null) return null;
    const deck = this.deck;
    const first = from ?? deck.indexAt(Math.max(deck.first, Math.min(deck.info.start, deck.timeOf(to))) + 1e-3);
    const last = to ?? deck.indexAt(Math.max(deck.info.end, deck.endOf(from)) - 1e-3);
    if (last < first) return null;
    return {
      first,
      last,
      start: deck.timeOf(first),
      end: deck.endOf(last),
      start_pts: deck.ptsOf(first),
      end_pts: deck.endPtsOf(last),
    };
  }

  mark(which) {
    if (this.deck.status !== 'ready') return;
    const index = this.deck.index;
    this.marks[which] = index;
    const { in: from, out: to } = this.marks;
    if (from !== null && to !== null && to < from) this.marks[which === 'in' ? 'out' : 'in'] = null;
    this.deck.stop = null;
    this.drawStrip();
    this.drawTime();
  }

  clearMarks() {
    this.marks = { in: null, out: null };
    this.deck.stop = this.limits();
    this.drawStrip();
    this.drawTime();
  }

  toggleLoop() {
    this.deck.loop = !this.deck.loop;
    this.deck.stop ??= this.limits();
    this.loopButton.setAttribute('aria-pressed', String(this.deck.loop));
    if (this.deck.loop && this.deck.paused) this.deck.play();
  }

  toggleMute() {
    this.video.muted = !this.video.muted;
    this.muteButton.setAttribute('aria-pressed', String(this.video.muted));
  }

  keep() {
    const { info } = this.deck;
    if (!info) return;
    const range = this.markedRange();
    const score = this.items[this.at]?.id === info.id ? this.items[this.at].score : undefined;
    const item = { segment: info.id, score };
    if (range && range.start_pts !== null) Object.assign(item, { start_pts: range.start_pts, end_pts: range.end_pts });
    tray.add([item]);
  }

  searchRange() {
    const range = this.markedRange();
    if (!this.callbacks.onRange) return;
    if (!range || range.start_pts === null) {
      toast('Mark a range first: I at its first frame, O at its last');
      return;
    }
    const segment = this.deck.info.id;
    this.leave(() => this.callbacks.onRange({ segment, start_pts: range.start_pts, end_pts: range.end_pts }));
  }

  leave(then) {
    if (!this.deck.info) return;
    this.dialog.close();
    then();
  }

  scrub(event) {
    const box = this.strip.getBoundingClientRect();
    const seek = (moved) => {
      const share = Math.min(1, Math.max(0, (moved.clientX - box.left) / box.width));
      this.deck.stop = null;
      this.deck.seekTo(this.deck.first + share * (this.deck.last - this.deck.first));
    };
    this.deck.pause();
    seek(event);
    this.strip.setPointerCapture(event.pointerId);
    this.strip.addEventListener('pointermove', seek);
    const done = () => this.strip.removeEventListener('pointermove', seek);
    this.strip.addEventListener('pointerup', done, { once: true });
    this.strip.addEventListener('pointercancel', done, { once: true });
  }

  share(seconds) {
    const { first, last } = this.deck;
    return `${(100 * (seconds - first)) / Math.max(last - first, 1e-6)}%`;
  }

  drawStrip() {
    const { info } = this.deck;
    if (!info) return;
    const place = (part, from, to) => {
      part.style.left = this.share(from);
      part.style.width = `calc(${this.share(to)} - ${this.share(from)})`;
    };
    place(this.range, info.start, info.end);
    const marked = this.markedRange();
    this.marked.hidden = marked === null;
    this.clearButton.hidden = marked === null;
    this.rangeButton.disabled = marked === null;
    if (marked) place(this.marked, marked.start, marked.end);
  }

  drawTime() {
    const { info, now } = this.deck;
    if (!info) return;
    this.head.style.left = this.share(now);
    const frame = this.deck.numberOf(now);
    const code = timecodeAt(frame, this.deck.rate, info.timecode);
    const marked = this.markedRange();
    const about = marked
      ? `in ${timecodeAt(this.deck.numberOf(marked.start), this.deck.rate, info.timecode)} (frame ${this.deck.numberOf(marked.start)}), out ${timecodeAt(this.deck.numberOf(marked.end), this.deck.rate, info.timecode)} (frame ${this.deck.numberOf(marked.end)}), ${marked.last - marked.first + 1} frames`
      : '';
    this.time.replaceChildren(
      element('strong', { text: code }),
      element('span', { class: 'ps-muted', text: `frame ${frame}` }),
      ...(about ? [element('span', { class: 'ps-marks', text: about })] : []),
    );
    this.strip.setAttribute('aria-valuetext', `${code}, frame ${frame}`);
    this.dialog.dataset.frame = String(frame);
  }

  drawState() {
    const { deck } = this;
    this.playButton.firstChild.textContent = deck.paused ? 'Play' : 'Pause';
    const failed = deck.status === 'failed';
    this.status.textContent = deck.status === 'loading' ? deck.message || 'Loading …' : deck.message;
    this.status.hidden = deck.status === 'ready' || deck.status === 'empty';
    this.status.classList.toggle('ps-error', failed);
    this.dialog.dataset.state = deck.status === 'ready' ? (deck.paused ? 'paused' : 'playing') : deck.status;
    this.muteButton.setAttribute('aria-pressed', String(this.video.muted));
  }

  drawTray() {
    const kept = this.deck?.info && tray.has(this.deck.info.id);
    this.trayButton.firstChild.textContent = kept ? 'In the tray' : 'Add to tray';
  }

  close() {
    const segment = this.deck.info?.id ?? null;
    this.deck.unload();
    this.removeKeys();
    this.unwatch();
    tray.removeEventListener('change', this.onTray);
    this.dialog.remove();
    this.callbacks.onClose?.(segment);
    this.before?.focus?.({ preventScroll: true });
  }
}

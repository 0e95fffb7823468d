// Compare: a dialog that plays two to four takes side by side, on one clock, with the sound of the one that is chosen.

import { element, overlayHome, setText, useStyles } from '../core/dom.js';
import { addKeys, onControl, showHelp } from '../core/keys.js';
import { clock } from '../core/timecode.js';
import { attempt } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { Company } from './company.js';
import { Deck } from './deck.js';
import { scrub } from './scrub.js';

export const MOST_COMPARED = 4;

/** @typedef {{id: number, label: string, score?: number}} Compared A segment, what it is called, and its score. */

/**
 * Open the dialog.
 *
 * @param {Compared[]} items Two to MOST_COMPARED, in order.
 * @param {string} [name] What the takes are called.
 * @returns {HTMLDialogElement}
 */
export function openCompare(items, name = '') {
  void useStyles();
  return new Compare(items.slice(0, MOST_COMPARED), name).dialog;
}

/**
 * One of the shots.
 *
 * @typedef {object} Side
 * @property {Compared} item
 * @property {Deck} deck
 * @property {HTMLElement} root
 * @property {HTMLElement} status
 * @property {HTMLElement} place
 * @property {HTMLElement} sound
 */

class Compare {
  head = element('div', { class: 'ps-strip-head' });
  strip = element(
    'div',
    { class: 'ps-strip', role: 'slider', tabindex: '0', 'aria-label': 'Time', 'data-ps-keys': '' },
    this.head,
  );
  time = element('div', { class: 'ps-time', 'aria-live': 'off' });

  /**
   * @param {Compared[]} items
   * @param {string} name
   */
  constructor(items, name) {
    this.name = name;
    this.sides = items.map((item, at) => this.side(item, at));
    this.company = new Company(this.sides.map(({ deck }) => deck));
    this.playText = element('span', { text: 'Play' });
    this.dialog = this.build();
    this.company.addEventListener('frame', () => this.drawTime());
    this.company.addEventListener('state', () => this.drawState());
    this.removeKeys = addKeys('Takes side by side', this.keys(), { modal: true });
    this.unwatch = tray.watch();
    this.before = document.activeElement;
    overlayHome().append(this.dialog);
    this.dialog.showModal();
    this.dialog.focus();
    this.drawState();
    void this.load();
  }

  /**
   * @param {Compared} item
   * @param {number} at
   * @returns {Side}
   */
  side(item, at) {
    const video = element('video', { class: 'ps-video', 'aria-label': item.label });
    video.poster = `/api/poster/${item.id}`;
    video.addEventListener('click', () => this.company.toggle());
    const status = element('div', { class: 'ps-player-status', role: 'status', hidden: true });
    const place = element('span', { class: 'ps-muted ps-compare-place' });
    const sound = element(
      'button',
      {
        class: 'ps-button',
        type: 'button',
        title: `Hear ${item.label} (${at + 1})`,
        'aria-label': `${item.label}: sound`,
        onclick: () => this.company.listen(at),
      },
      element('span', { text: 'Sound' }),
      element('kbd', { text: String(at + 1) }),
    );
    const label = element('strong');
    setText(label, item.label);
    const root = element(
      'figure',
      { class: 'ps-compare-side' },
      element('div', { class: 'ps-stage' }, video, status),
      element('figcaption', {}, label, place, sound),
    );
    return { item, deck: new Deck(video), root, status, place, sound };
  }

  build() {
    this.strip.addEventListener('pointerdown', (event) => this.scrub(event));
    const title = element('div', { class: 'ps-grow ps-player-title' });
    setText(title, `${this.name ? `${this.name}: ` : ''}${this.sides.length} takes side by side`);
    /** @type {HTMLDialogElement} */
    const dialog = element(
      'dialog',
      { class: 'ps-dialog ps-player ps-compare', 'aria-label': 'Takes side by side', tabindex: '-1' },
      element(
        'header',
        {},
        title,
        element('button', {
          class: 'ps-icon',
          'aria-label': 'Close',
          title: 'Close (Esc)',
          text: '×',
          onclick: () => dialog.close(),
        }),
      ),
      element(
        'div',
        { class: 'ps-compare-sides', 'data-count': String(this.sides.length) },
        ...this.sides.map(({ root }) => root),
      ),
      element('div', { class: 'ps-timeline-row' }, this.strip, this.time),
      element(
        'div',
        { class: 'ps-controls' },
        control(this.playText, 'Space', 'Play or pause', () => this.company.toggle()),
        control('Frame back', ',', 'One frame back', () => this.company.step(-1)),
        control('Frame forward', '.', 'One frame forward', () => this.company.step(1)),
        element('span', { class: 'ps-gap' }),
        control('Add to tray', 'S', 'Add the take whose sound is heard to the tray', () => this.keep()),
      ),
    );
    dialog.addEventListener('close', () => this.close());
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
    return dialog;
  }

  /** @returns {import('../core/keys.js').Key[]} */
  keys() {
    const { company } = this;
    return [
      { key: ' ', label: 'Play or pause', run: (event) => (onControl(event) ? false : company.toggle()) },
      { key: ', ArrowLeft', label: 'One frame back', run: () => company.step(-1) },
      { key: '. ArrowRight', label: 'One frame forward', run: () => company.step(1) },
      { key: 'Shift+ArrowLeft', label: 'One second back', run: () => this.seek(company.now - 1) },
      { key: 'Shift+ArrowRight', label: 'One second forward', run: () => this.seek(company.now + 1) },
      { key: 'Home', label: 'Go to the start', run: () => this.seek(0) },
      { key: 'End', label: 'Go to the last frame', run: () => this.seek(company.length) },
      ...this.sides.map(({ item }, at) => ({
        key: String(at + 1),
        label: `Hear ${item.label}`,
        run: () => company.listen(at),
      })),
      { key: 's S', label: 'Add the take that is heard to the tray', run: () => this.keep() },
      { key: 'Enter', label: '', hidden: true, run: () => false },
      { key: 'c C', label: '', hidden: true, run: () => this.dialog.close() },
      { key: 'Escape', label: 'Close', run: () => this.dialog.close() },
      { key: '?', label: 'Show keyboard shortcuts', run: () => showHelp() },
    ];
  }

  /** Load all shots, then play those that can be played. */
  async load() {
    await Promise.all(this.sides.map((side) => this.loadSide(side)));
    if (!this.dialog.isConnected) return;
    this.company.seek(0);
    void this.company.play();
  }

  /** @param {Side} side */
  async loadSide({ item, deck, place }) {
    const info = await attempt(() => deck.load(item.id));
    if (!info || deck.info !== info) return;
    deck.stop = { from: info.start, to: info.end };
    setText(place, `${info.name} · ${clock(info.start)}`);
    place.title = info.path;
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.company.pause();
    this.company.seek(Math.min(Math.max(seconds, 0), this.company.length));
  }

  keep() {
    const { item } = this.sides[this.company.chosen];
    void tray.add([{ segment: item.id, score: item.score }]);
  }

  /** @param {PointerEvent} event */
  scrub(event) {
    scrub(this.strip, event, (share) => this.seek(share * this.company.length));
  }

  drawTime() {
    const { now, length } = this.company;
    this.head.style.left = `${length ? Math.min(100, (100 * now) / length) : 0}%`;
    const text = `${clock(now)} of ${clock(length)}`;
    this.time.textContent = text;
    this.strip.setAttribute('aria-valuemin', '0');
    this.strip.setAttribute('aria-valuemax', String(length));
    this.strip.setAttribute('aria-valuenow', String(now));
    this.strip.setAttribute('aria-valuetext', text);
  }

  drawState() {
    const { company } = this;
    this.playText.textContent = company.paused ? 'Play' : 'Pause';
    for (const [at, { deck, status, sound, root }] of this.sides.entries()) {
      status.textContent = deck.status === 'loading' ? deck.message || 'Loading …' : deck.message;
      status.hidden = deck.status === 'ready' || deck.status === 'empty';
      status.classList.toggle('ps-error', deck.status === 'failed');
      sound.setAttribute('aria-pressed', String(at === company.chosen));
      root.classList.toggle('ps-current', at === company.chosen);
    }
    this.dialog.dataset.state = company.leader ? (company.paused ? 'paused' : 'playing') : 'loading';
    this.drawTime();
  }

  close() {
    this.company.unload();
    this.removeKeys();
    this.unwatch();
    this.dialog.remove();
    if (this.before instanceof HTMLElement) this.before.focus({ preventScroll: true });
  }
}

/**
 * @param {HTMLElement | string} label
 * @param {string} key
 * @param {string} title
 * @param {() => unknown} run
 */
function control(label, key, title, run) {
  const text = typeof label === 'string' ? element('span', { text: label }) : label;
  return element(
    'button',
    { class: 'ps-button', type: 'button', onclick: run, title: `${title} (${key})` },
    text,
    element('kbd', { text: key }),
  );
}

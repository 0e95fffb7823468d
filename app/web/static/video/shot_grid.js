// Grid of all shots of a video in order, as posters.

import { element } from '../core/dom.js';
import { durationText, timeText } from '../core/timecode.js';
import { tray } from '../core/tray.js';
import { VirtualList } from '../core/virtual_list.js';

const WIDTH = 190;
const GAP = 13;
const BELOW = 34;
const HOVER_MILLISECONDS = 90;

/** @typedef {{id: number, start: number, end: number, score: number | null, share: number | null}} Shot */

/** A virtual list of rows of posters. Indices are those of the shots. */
export class ShotGrid {
  /**
   * @param {HTMLElement} parent
   * @param {{open: (at: number) => void, chosen: (at: number) => void}} callbacks Called with the index of a shot.
   */
  constructor(parent, { open, chosen }) {
    this.open = open;
    this.chosen = chosen;
    this.shots = [];
    this.columns = 1;
    this.current = 0;
    this.host = element('div', {
      class: 'ps-shots',
      role: 'listbox',
      'aria-label': 'Shots in order',
      'data-ps-keys': '',
    });
    parent.append(this.host);
    this.virtual = new VirtualList(this.host, (row) => this.row(row));
    this.sizes = new ResizeObserver(() => this.layOut(false));
    this.sizes.observe(this.host);
    this.host.addEventListener('click', (event) => this.click(event));
    this.host.addEventListener('pointerover', (event) => this.hover(event.target.closest('.ps-card')));
    this.host.addEventListener('pointerleave', () => this.hover(null));
    this.host.addEventListener('focusin', (event) => this.focused(event.target.closest('.ps-card')));
    this.unwatch = tray.watch();
    this.onTray = () => this.drawTray();
    tray.addEventListener('change', this.onTray);
  }

  /** @param {Shot[]} shots Times in seconds; score, and its place on the colour ramp, are null without a search. */
  set(shots) {
    this.shots = shots;
    this.current = Math.min(this.current, Math.max(0, shots.length - 1));
    this.layOut(true);
  }

  layOut(anew) {
    const width = this.host.clientWidth;
    if (!width) return;
    const columns = Math.max(1, Math.floor((width + GAP) / (WIDTH + GAP)));
    const size = (width - GAP * (columns - 1)) / columns;
    if (!anew && columns === this.columns && Math.abs(size - this.size) < 0.5) return;
    [this.columns, this.size] = [columns, size];
    this.host.style.setProperty('--ps-columns', String(columns));
    const height = (size * 9) / 16 + BELOW + GAP;
    this.virtual.setRows(Array.from({ length: Math.ceil(this.shots.length / columns) }, () => height));
  }

  row(row) {
    const first = row * this.columns;
    return element(
      'div',
      { class: 'ps-shots-row', role: 'presentation' },
      ...this.shots.slice(first, first + this.columns).map((shot, place) => this.card(first + place, shot)),
    );
  }

  card(at, shot) {
    const score = element('i', {});
    score.style.width = `${Math.round(100 * (shot.share ?? 0))}%`;
    return element(
      'div',
      {
        class: `ps-card${tray.has(shot.id) ? ' ps-kept' : ''}`,
        role: 'option',
        tabindex: at === this.current ? '0' : '-1',
        'data-at': String(at),
        'data-segment': String(shot.id),
        'aria-selected': String(at === this.current),
        'aria-posinset': String(at + 1),
        'aria-setsize': String(this.shots.length),
        'aria-label': `Shot at ${timeText(shot.start)}, ${durationText(shot.end - shot.start)}${shot.score === null ? '' : `, score ${shot.score.toFixed(2)}`}`,
      },
      element(
        'div',
        { class: 'ps-frame' },
        element('img', { alt: '', loading: 'lazy', decoding: 'async', src: `/api/poster/${shot.id}` }),
        element('span', { class: 'ps-length', text: durationText(shot.end - shot.start) }),
        element(
          'div',
          { class: 'ps-actions' },
          element('button', {
            class: 'ps-action',
            type: 'button',
            tabindex: '-1',
            'data-action': 'keep',
            'aria-label': 'Add to the tray (S)',
            title: 'Add to the tray (S)',
            text: '+',
          }),
        ),
        shot.share === null ? null : element('div', { class: 'ps-score' }, score),
      ),
      element(
        'div',
        { class: 'ps-about' },
        shot.score === null ? null : element('span', { class: 'ps-number', text: shot.score.toFixed(2) }),
        element('span', { class: 'ps-when', text: timeText(shot.start) }),
      ),
    );
  }

  cardAt(at) {
    return this.host.querySelector(`.ps-card[data-at="${at}"]`);
  }

  drawTray() {
    for (const card of this.host.querySelectorAll('.ps-card'))
      card.classList.toggle('ps-kept', tray.has(Number(card.dataset.segment)));
  }

  click(event) {
    const card = event.target.closest('.ps-card');
    if (!card) return;
    const at = Number(card.dataset.at);
    this.focused(card);
    if (event.target.closest('[data-action=keep]')) this.keep(at);
    else this.open(at);
  }

  keep(at) {
    const shot = this.shots[at];
    tray.add([{ segment: shot.id, score: shot.score ?? undefined }]);
  }

  focused(card) {
    if (!card) return;
    const at = Number(card.dataset.at);
    if (at !== this.current) {
      const before = this.cardAt(this.current);
      if (before) before.tabIndex = -1;
      this.current = at;
      this.chosen(at);
    }
    card.tabIndex = 0;
  }

  focus(at) {
    this.virtual.reveal(Math.floor(at / this.columns));
    this.cardAt(at)?.focus({ preventScroll: true });
  }

  get focusedAt() {
    const card = document.activeElement?.closest?.('.ps-card');
    return card && this.host.contains(card) ? Number(card.dataset.at) : null;
  }

  /**
   * Move the focus. Returns false where the grid does not have it.
   *
   * @param {number | 'down' | 'up'} by
   */
  move(by) {
    const at = this.focusedAt;
    if (at === null) return false;
    const to = at + (by === 'down' ? this.columns : by === 'up' ? -this.columns : by);
    if (to >= 0 && to < this.shots.length) this.focus(to);
    return true;
  }

  /** Play one muted preview at a time; null stops it. */
  hover(card) {
    if (card === this.over) return;
    this.over = card;
    clearTimeout(this.timer);
    this.stop();
    if (!card || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    this.timer = setTimeout(() => {
      const video = element('video', {
        muted: true,
        loop: true,
        autoplay: true,
        playsInline: true,
        src: `/api/preview/${card.dataset.segment}`,
        'aria-hidden': 'true',
      });
      video.addEventListener('playing', () => video.classList.add('ps-on'));
      card.querySelector('img').after(video);
      this.video = video;
    }, HOVER_MILLISECONDS);
  }

  stop() {
    if (!this.video) return;
    this.video.removeAttribute('src');
    this.video.load();
    this.video.remove();
    this.video = null;
  }

  remove() {
    this.hover(null);
    this.unwatch();
    tray.removeEventListener('change', this.onTray);
    this.sizes.disconnect();
    this.virtual.remove();
    this.host.remove();
  }
}

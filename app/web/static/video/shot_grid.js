// Grid of all shots of a video in order, as posters.

import { element } from '../core/dom.js';
import { PosterPreview } from '../core/poster_preview.js';
import { findPlace } from '../core/scroll_place.js';
import { partText } from '../core/shot_text.js';
import { clock, durationText } from '../core/timecode.js';
import { tray } from '../core/tray.js';
import { VirtualList } from '../core/virtual_list.js';
import { cardFrom, gridLayout } from './grid_layout.js';

/** @typedef {{id: number, start: number, end: number, part: number, part_count: number, score: number | null, share: number | null}} Shot */

/**
 * Return the card that an element lies in.
 *
 * @param {EventTarget | null} node
 * @returns {HTMLElement | null}
 */
function cardOf(node) {
  return node instanceof Element ? node.closest('.ps-card') : null;
}

/** A virtual list of rows of posters. Indices are those of the shots. */
export class ShotGrid {
  /** @type {Shot[]} */
  shots = [];
  columns = 1;
  size = 0; // pixels of a card's width; 0 until it is laid out
  current = 0;
  previews = new PosterPreview((card) => Number(card.getAttribute('data-segment')));

  /**
   * @param {HTMLElement} parent
   * @param {{open: (at: number) => void, chosen: (at: number) => void}} callbacks Called with the index of a shot.
   */
  constructor(parent, { open, chosen }) {
    this.open = open;
    this.chosen = chosen;
    this.host = element('div', {
      class: 'ps-shots',
      role: 'grid',
      'aria-label': 'Shots in order',
      'data-ps-keys': '',
    });
    parent.append(this.host);
    this.virtual = new VirtualList(this.host, (row) => this.row(row));
    this.sizes = new ResizeObserver(() => this.layOut());
    this.sizes.observe(this.host);
    this.host.addEventListener('click', (event) => this.click(event));
    this.host.addEventListener('pointerover', (event) => this.previews.hover(cardOf(event.target)));
    this.host.addEventListener('pointerleave', () => this.previews.hover(null));
    this.host.addEventListener('focusin', (event) => this.focused(cardOf(event.target)));
    this.unwatch = tray.watch();
    this.onTray = () => this.drawTray();
    tray.addEventListener('change', this.onTray);
  }

  /** @param {Shot[]} shots Times in seconds; score, and its place on the colour ramp, are null without a search. */
  set(shots) {
    this.shots = shots;
    this.current = Math.min(this.current, Math.max(0, shots.length - 1));
    this.size = 0;
    this.host.setAttribute('aria-rowcount', String(shots.length));
    this.layOut();
  }

  /** Lay the shots out for the width that there is, unless they are so already. */
  layOut() {
    const width = this.host.clientWidth;
    if (!width) return;
    const { columns, size, height, rows } = gridLayout(width, this.shots.length);
    if (columns === this.columns && Math.abs(size - this.size) < 0.5) return;
    [this.columns, this.size] = [columns, size];
    this.host.style.setProperty('--ps-columns', String(columns));
    this.virtual.setRows(Array(rows).fill(height));
    findPlace();
  }

  /** @param {number} row */
  row(row) {
    const first = row * this.columns;
    return element(
      'div',
      { class: 'ps-shots-row', role: 'presentation' },
      ...this.shots.slice(first, first + this.columns).map((shot, place) => this.card(first + place, shot)),
    );
  }

  /**
   * @param {number} at
   * @param {Shot} shot
   */
  card(at, shot) {
    const score = element('i', {});
    score.style.width = `${Math.round(100 * (shot.share ?? 0))}%`;
    return element(
      'div',
      {
        class: `ps-card${tray.has(shot.id) ? ' ps-kept' : ''}`,
        role: 'row',
        tabindex: at === this.current ? '0' : '-1',
        'data-at': String(at),
        'data-segment': String(shot.id),
        'aria-selected': String(at === this.current),
        'aria-rowindex': String(at + 1),
        'aria-label': labelOf(shot),
      },
      element(
        'div',
        { class: 'ps-frame', role: 'gridcell' },
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
            'aria-label': 'Add to tray (S)',
            title: 'Add to tray (S)',
            text: '+',
          }),
        ),
        shot.share === null ? null : element('div', { class: 'ps-score' }, score),
      ),
      element(
        'div',
        { class: 'ps-about', role: 'gridcell' },
        shot.score === null ? null : element('span', { class: 'ps-number', text: shot.score.toFixed(2) }),
        element('span', { class: 'ps-when', text: [clock(shot.start), partText(shot)].filter(Boolean).join(' · ') }),
      ),
    );
  }

  /**
   * @param {number} at
   * @returns {HTMLElement | null} null where it is not in the document now.
   */
  cardAt(at) {
    return this.host.querySelector(`.ps-card[data-at="${at}"]`);
  }

  drawTray() {
    /** @type {NodeListOf<HTMLElement>} */
    const cards = this.host.querySelectorAll('.ps-card');
    for (const card of cards) card.classList.toggle('ps-kept', tray.has(Number(card.dataset.segment)));
  }

  /** @param {MouseEvent} event */
  click(event) {
    const { target } = event;
    const card = cardOf(target);
    if (!card || !(target instanceof Element)) return;
    const at = Number(card.dataset.at);
    this.focused(card);
    if (target.closest('[data-action=keep]')) this.keep(at);
    else this.open(at);
  }

  /** @param {number} at */
  keep(at) {
    const shot = this.shots[at];
    void tray.add([{ segment: shot.id, score: shot.score ?? undefined }]);
  }

  /** @param {HTMLElement | null} card */
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

  /** @param {number} at */
  focus(at) {
    this.virtual.reveal(Math.floor(at / this.columns));
    this.cardAt(at)?.focus({ preventScroll: true });
  }

  get focusedAt() {
    const card = cardOf(document.activeElement);
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
    const to = cardFrom(at, by, { columns: this.columns, count: this.shots.length });
    if (to !== at) this.focus(to);
    return true;
  }

  remove() {
    this.previews.remove();
    this.unwatch();
    tray.removeEventListener('change', this.onTray);
    this.sizes.disconnect();
    this.virtual.remove();
    this.host.remove();
  }
}

/**
 * Return what a shot is called for screen readers.
 *
 * @param {Shot} shot
 * @returns {string}
 */
function labelOf(shot) {
  const { start, end, score } = shot;
  const said = [`Shot at ${clock(start)}`, partText(shot), durationText(end - start)];
  if (score !== null) said.push(`score ${score.toFixed(2)}`);
  return said.filter(Boolean).join(', ');
}

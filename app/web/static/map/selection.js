// Selection on the map: a strip of posters, with buttons that add them to the tray or clear it.

import { element } from '../core/dom.js';
import { tray } from '../core/tray.js';

const MOST_SHOWN = 120;
const MOST_AT_ONCE = 2000; // subclips that the server accepts in one request

/** @typedef {{id: number, name: string, score: number | null}} MapItem */

/**
 * Divide items into parts, in order.
 *
 * @template T
 * @param {T[]} items
 * @param {number} most Items of a part.
 * @returns {T[][]}
 */
export function partsOf(items, most) {
  const parts = [];
  for (let first = 0; first < items.length; first += most) parts.push(items.slice(first, first + most));
  return parts;
}

/** A panel at the lower edge of the map; hidden while nothing is selected. */
export class Selection {
  /** @param {{open: (place: number) => void, clear: () => void}} callbacks `open` is called with an index of the items. */
  constructor({ open, clear }) {
    this.open = open;
    /** @type {MapItem[]} */
    this.items = [];
    this.text = element('span', { class: 'ps-grow', role: 'status' });
    this.list = element('div', { class: 'ps-map-chosen-list' });
    this.root = element(
      'section',
      { class: 'ps-map-chosen', 'aria-label': 'Selected shots', hidden: true },
      element(
        'header',
        {},
        this.text,
        element(
          'button',
          { class: 'ps-button ps-primary', type: 'button', onclick: () => this.keep() },
          element('span', { text: 'Add to tray' }),
          element('kbd', { text: 'S' }),
        ),
        element(
          'button',
          { class: 'ps-button', type: 'button', onclick: clear },
          element('span', { text: 'Clear selection' }),
          element('kbd', { text: 'Esc' }),
        ),
      ),
      this.list,
    );
    // A vertical wheel scrolls the strip sideways.
    this.list.addEventListener(
      'wheel',
      (event) => {
        if (Math.abs(event.deltaX) >= Math.abs(event.deltaY)) return;
        this.list.scrollLeft += event.deltaY;
        event.preventDefault();
      },
      { passive: false },
    );
  }

  /** @param {MapItem[]} items In the order in which they are shown. */
  set(items) {
    this.items = items;
    this.root.hidden = items.length === 0;
    const more = items.length - MOST_SHOWN;
    this.text.textContent = `${items.length.toLocaleString()} selected`;
    this.list.replaceChildren(
      ...items.slice(0, MOST_SHOWN).map((item, place) =>
        element(
          'button',
          {
            class: 'ps-map-chosen-item',
            type: 'button',
            title: item.name,
            'aria-label': `Open ${item.name}`,
            onclick: () => this.open(place),
          },
          element('img', { src: `/api/poster/${item.id}`, alt: '', loading: 'lazy', decoding: 'async' }),
          item.score === null ? null : element('span', { text: item.score.toFixed(2) }),
        ),
      ),
      ...(more > 0
        ? [element('span', { class: 'ps-muted ps-map-chosen-more', text: `and ${more.toLocaleString()} more` })]
        : []),
    );
    this.list.scrollLeft = 0;
  }

  /** Add all of them to the tray, in requests that the server accepts. */
  async keep() {
    for (const part of partsOf(this.items, MOST_AT_ONCE)) {
      const kept = await tray.add(part.map((item) => ({ segment: item.id, score: item.score ?? undefined })));
      if (!kept.length) return;
    }
  }
}

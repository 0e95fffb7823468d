// List of results: cards of which the first are made at once, a fold, a button for more, and the card that keys act on.

import { element, setOverlayHome } from '../core/dom.js';
import { onControl } from '../core/keys.js';
import { PosterPreview } from '../core/poster_preview.js';
import { findPlace, placeIsWanted } from '../core/scroll_place.js';
import { tray } from '../core/tray.js';
import { cardAfter, columnsOf } from './cursor.js';
import { Fold } from './fold.js';
import { Posters } from './posters.js';

/**
 * What the page passes with every list of results.
 *
 * @typedef {object} ResultData
 * @property {string} token Of these results.
 * @property {boolean} more Whether there may be more.
 * @property {boolean} [folded] Whether they are no good match, and hidden at first.
 * @property {number} [milliseconds]
 */

/**
 * A kind of results.
 *
 * @template Item
 * @typedef {object} Kind
 * @property {string} noun What the fold hides, in the singular.
 * @property {string} className Of the list, besides `ps-grid`.
 * @property {string} card Selector of a card.
 * @property {string} poster Selector of what names a segment in `data-segment` and plays its preview.
 * @property {number} atOnce Number of cards that are made at once: more than a screen shows.
 * @property {(item: Item) => string} keyOf What tells one result from others.
 * @property {(item: Item) => HTMLElement} make Returns the card of a result.
 * @property {() => void} [added] Called after cards were added.
 * @property {() => import('../core/moments.js').Moments | null} [momentsOf] The moments of the search.
 */

/**
 * @template Item
 */
export class ResultList {
  /**
   * @param {import('../core/types.js').Component<unknown>} component
   * @param {Kind<Item>} kind
   */
  constructor(component, kind) {
    const parent = component.parentElement;
    setOverlayHome(parent);
    this.component = component;
    this.kind = kind;
    this.token = ''; // of the results that are shown
    /** @type {Item[]} */
    this.items = [];
    /** @type {HTMLElement | null} */
    this.tabStop = null; // the card that Tab reaches
    this.element = element('div', {
      class: `ps-grid ${kind.className}`.trim(),
      role: 'grid',
      'aria-label': 'Results',
      'data-ps-keys': '',
    });
    this.more = element('button', {
      class: 'ps-button ps-more',
      type: 'button',
      text: 'Show more',
      hidden: true,
      onclick: () => this.component.setTriggerValue('more', Date.now()),
    });
    this.fold = new Fold(kind.noun, this.element, this.more);
    parent.append(this.fold.button, this.fold.content);
    this.previews = new PosterPreview((poster) => Number(poster.getAttribute('data-segment')), kind.momentsOf);
    this.posters = new Posters();
    this.unwatch = tray.watch();
    this.element.addEventListener('pointerover', (event) => this.previews.hover(around(event.target, kind.poster)));
    this.element.addEventListener('pointerleave', () => this.previews.hover(null));
    this.sizes = new ResizeObserver(() => this.measure());
    this.sizes.observe(this.element);
    this.element.addEventListener('focusin', (event) => this.focused(this.cardOf(event.target)));
  }

  /**
   * Show other results, unless they are those that are shown.
   *
   * @param {import('../core/types.js').Component<ResultData>} component
   * @param {Item[]} items
   */
  show(component, items) {
    this.component = component;
    const { token, more, folded = false, milliseconds } = component.data;
    this.more.hidden = !more;
    if (token === this.token) return;
    const placed = this.continues(items) ? this.element.childElementCount : 0;
    this.token = token;
    this.items = items;
    delete this.element.dataset.ready; // until these have their posters
    this.element.dataset.milliseconds = String(milliseconds ?? '');
    this.previews.hover(null);
    // A place further down can only have been left in a list that was open.
    this.fold.set(folded && !placeIsWanted(), items.length);
    // Visible cards come first and alone; the rest is made when the browser is idle.
    const first = placeIsWanted() ? items.length : placed + this.kind.atOnce;
    this.element.replaceChildren(...this.make(items.slice(0, first)));
    this.focused(this.cards[0] ?? null);
    this.kind.added?.();
    this.measure();
    findPlace();
    requestAnimationFrame(() => void this.goOn(token, first));
  }

  /** Tell the style sheet the height of a card, which cards out of sight take until they are laid out. */
  measure() {
    const height = this.cards[0]?.offsetHeight;
    if (height) this.element.style.setProperty('--ps-card-height', `${height}px`);
  }

  /**
   * Return whether results begin with those that are shown, so that the place of the list must stay.
   *
   * @param {Item[]} items
   */
  continues(items) {
    const { keyOf } = this.kind;
    return (
      this.items.length > 0 && this.items.every((item, at) => at < items.length && keyOf(items[at]) === keyOf(item))
    );
  }

  /**
   * Return the cards of results, with their posters watched.
   *
   * @param {Item[]} items
   */
  make(items) {
    const made = items.map(this.kind.make);
    for (const card of made) {
      card.tabIndex = -1;
      this.posters.watch(card);
    }
    return made;
  }

  /**
   * Mark the list as ready once all posters in sight have loaded or failed, and go on with the other cards.
   *
   * @param {string} token
   * @param {number} at Index of the next result.
   */
  async goOn(token, at) {
    await this.posters.inSight(this.element);
    if (token !== this.token) return;
    this.element.dataset.ready = token;
    this.addLater(token, at);
  }

  /**
   * @param {string} token
   * @param {number} at
   */
  addLater(token, at) {
    if (at >= this.items.length) return;
    const next = () => {
      if (token !== this.token) return;
      const end = at + this.kind.atOnce;
      this.element.append(...this.make(this.items.slice(at, end)));
      this.kind.added?.();
      findPlace();
      this.addLater(token, end);
    };
    if ('requestIdleCallback' in window) requestIdleCallback(next, { timeout: 500 });
    else setTimeout(next, 50);
  }

  get cards() {
    return [...this.element.children].filter((card) => card instanceof HTMLElement);
  }

  /**
   * Return the card that an event or the focus is in.
   *
   * @param {EventTarget | null} node
   */
  cardOf(node) {
    const card = around(node, this.kind.card);
    return card && this.element.contains(card) ? card : null;
  }

  /** @param {HTMLElement | null} card The one that Tab reaches from now on. */
  focused(card) {
    if (!card) return;
    if (this.tabStop) this.tabStop.tabIndex = -1;
    card.tabIndex = 0;
    this.tabStop = card;
  }

  /**
   * Run an action with the card that has the focus, or is under the pointer.
   *
   * @param {KeyboardEvent | null} event A key that buttons take themselves; null where they do not.
   * @param {(card: HTMLElement) => void} run
   * @returns {boolean} Whether there is one.
   */
  withCurrent(event, run) {
    if (this.fold.closed || (event && onControl(event))) return false;
    const card = this.cardOf(document.activeElement) ?? this.cardOf(this.previews.over);
    if (card) run(card);
    return card !== null;
  }

  /**
   * Move the focus from card to card.
   *
   * @param {KeyboardEvent} event
   * @param {import('./cursor.js').Move} move
   */
  move(event, move) {
    const { cards } = this;
    if (this.fold.closed || !cards.length || onControl(event)) return false;
    const { activeElement } = document;
    const current = this.cardOf(activeElement);
    if (!current && activeElement && !activeElement.matches('body, .ps-grid')) return false;
    const at = current ? cards.indexOf(current) : -1;
    const to = cardAfter(at, move, columnsOf(cards.map((card) => card.offsetTop)), cards.length);
    if (to === null) return true;
    cards[to].focus();
    cards[to].scrollIntoView({ block: 'nearest' });
    return true;
  }

  remove() {
    this.previews.remove();
    this.posters.remove();
    this.sizes.disconnect();
    this.fold.remove();
    this.unwatch();
  }
}

/**
 * Return the element of a kind that a node is, or lies in.
 *
 * @param {EventTarget | null} node
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function around(node, selector) {
  const found = node instanceof Element ? node.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

// Stacks: hits that stand for others nearly equal to them. Opening one shows those beside it.

import { api } from '../core/api.js';
import { attempt } from '../core/toast.js';

const MOST = 200; // shots of a stack that are shown, as many as the server tells of at a time

/** @typedef {import('./grid.js').GridHit} GridHit */

/**
 * The grid, as far as stacks change it.
 *
 * @typedef {object} Stacked
 * @property {GridHit[]} hits
 * @property {Map<number, {card: import('./card.js').HitCard | null, hit: GridHit}>} cards By the segment.
 * @property {(hits: GridHit[]) => HTMLElement[]} makeCards
 */

/** The stacks of a search that are open, by the segment of the hit in front. */
export class Stacks {
  /** @type {Map<number, GridHit[]>} */
  opened = new Map(); // those that are being opened are empty

  /** @param {Stacked} grid */
  constructor(grid) {
    this.grid = grid;
  }

  /** Forget all, for another search. */
  clear() {
    this.opened = new Map();
  }

  /** Return the hits with the shots of open stacks behind theirs, as they are shown. */
  spread() {
    return this.grid.hits.flatMap((hit) => [hit, ...(this.opened.get(hit.id) ?? [])]);
  }

  /**
   * Open or close a stack.
   *
   * @param {number} segment Of the hit in front, or of a shot behind it.
   */
  async toggle(segment) {
    const { hits } = this.grid;
    const front =
      hits.find(({ id }) => id === segment) ??
      hits.find(({ id }) => this.opened.get(id)?.some((behind) => behind.id === segment));
    const card = front && this.grid.cards.get(front.id)?.card;
    if (!card || !front.alike.length) return;
    const behind = this.opened.get(front.id);
    if (behind?.length) {
      this.close(behind);
      this.opened.delete(front.id);
      card.open(false);
      if (segment !== front.id) card.root.focus();
    } else if (!behind) {
      await this.open(front, card);
    }
  }

  /**
   * @param {GridHit} front
   * @param {import('./card.js').HitCard} card Of that hit.
   */
  async open(front, card) {
    const { opened } = this;
    opened.set(front.id, []);
    /** @type {{items: GridHit[]} | undefined} */
    const answer = await attempt(() => api(`/api/cards?ids=${front.alike.slice(0, MOST).join(',')}`));
    if (opened !== this.opened) return; // another search has come meanwhile
    if (!answer?.items.length) {
      opened.delete(front.id);
      return;
    }
    opened.set(front.id, answer.items);
    const made = this.grid.makeCards(answer.items);
    for (const each of made) each.classList.add('ps-member');
    card.root.after(...made);
    card.open(true);
  }

  /** @param {GridHit[]} behind */
  close(behind) {
    for (const { id } of behind) {
      this.grid.cards.get(id)?.card?.root.remove();
      this.grid.cards.delete(id);
    }
  }
}

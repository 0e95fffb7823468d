// Stacks: hits that stand for others. Opening one shows the other takes beside it, then what is nearly equal to one.

import { api } from '../core/api.js';
import { attempt } from '../core/toast.js';

const MOST = 200; // shots of a level that are shown, as many as the server tells of at a time

/** @typedef {import('./grid.js').GridHit} GridHit */
/** @typedef {'takes' | 'alike'} Level What is opened: other takes, or near-duplicates. */

/**
 * The grid, as far as stacks change it.
 *
 * @typedef {object} Stacked
 * @property {GridHit[]} hits
 * @property {Map<number, {card: import('./card.js').HitCard | null, hit: GridHit}>} cards By the segment.
 * @property {(hits: GridHit[]) => HTMLElement[]} makeCards
 */

/**
 * Return the levels of a stack, in the order in which they are opened.
 *
 * @param {GridHit} hit The one in front.
 * @returns {Level[]}
 */
export function levelsOf(hit) {
  /** @type {Level[]} */
  const levels = [];
  if (hit.takes?.length) levels.push('takes');
  if (hit.alike.length) levels.push('alike');
  return levels;
}

/**
 * Return the takes of a stack in their order, each with the segments that show it; empty for one that is not shown.
 *
 * @param {GridHit} hit The one in front.
 * @returns {number[][]}
 */
export function runsOf(hit) {
  const { take, takes = [] } = hit;
  if (!take || !takes.length) return [];
  /** @type {number[][]} */
  const runs = Array.from({ length: take.count }, () => []);
  for (const { number, ids } of [{ number: take.number, ids: [hit.id, ...hit.alike] }, ...takes])
    runs[number - 1] = ids;
  return runs;
}

/** The stacks of a search that are open. */
export class Stacks {
  /** @type {Map<string, GridHit[]>} */
  opened = new Map(); // by level and segment in front; those that are being opened are empty
  /** @type {Map<number, {front: GridHit, level: Level}>} */
  behind = new Map(); // what each shot of an open level stands behind

  /** @param {Stacked} grid */
  constructor(grid) {
    this.grid = grid;
  }

  /** Forget all, for another search. */
  clear() {
    this.opened = new Map();
    this.behind = new Map();
  }

  /** Return the hits with the shots of open stacks behind theirs, as they are shown. */
  spread() {
    /** @param {GridHit} hit @returns {GridHit[]} */
    const withOpen = (hit) => [hit, ...this.members(hit, 'alike'), ...this.members(hit, 'takes').flatMap(withOpen)];
    return this.grid.hits.flatMap(withOpen);
  }

  /**
   * Open the next level of a stack. Where nothing is left to open, close it; a shot that has nothing behind it closes the
   * level that it is in.
   *
   * @param {number} segment
   */
  async toggle(segment) {
    const hit = this.grid.cards.get(segment)?.hit;
    if (!hit) return;
    const levels = levelsOf(hit);
    if (levels.some((level) => this.isOpening(hit, level))) return;
    const next = levels.find((level) => !this.isOpen(hit, level));
    if (next) await this.open(hit, next);
    else if (levels.length) for (const level of levels) this.close(hit, level);
    else this.back(segment);
  }

  /**
   * Close the level that a shot is in, and give the focus to the one in front of it; of a hit, close the whole stack.
   *
   * @param {number} segment
   */
  back(segment) {
    const place = this.behind.get(segment);
    if (place) {
      this.close(place.front, place.level);
      this.grid.cards.get(place.front.id)?.card?.root.focus();
      return;
    }
    const hit = this.grid.cards.get(segment)?.hit;
    if (hit) for (const level of levelsOf(hit)) if (!this.isOpening(hit, level)) this.close(hit, level);
  }

  /**
   * @param {GridHit} front
   * @param {Level} level
   */
  async open(front, level) {
    const { opened } = this;
    const key = keyOf(front, level);
    opened.set(key, []);
    const takes = front.takes ?? [];
    const ids = level === 'takes' ? takes.map((take) => take.ids[0]) : front.alike;
    /** @type {{items: GridHit[]} | undefined} */
    const answer = await attempt(() => api(`/api/cards?ids=${ids.slice(0, MOST).join(',')}`));
    if (opened !== this.opened) return; // another search has come meanwhile
    if (!answer?.items.length) {
      opened.delete(key);
      return;
    }
    const count = front.take?.count ?? takes.length + 1;
    const members = answer.items.map((item) => {
      const take = level === 'takes' ? takes.find(({ ids: [first] }) => first === item.id) : undefined;
      return take
        ? { ...item, take: { number: take.number, count }, alike: take.ids.slice(1) }
        : { ...item, take: front.take };
    });
    const last = this.members(front, 'alike').at(-1) ?? front; // copies stand nearer to a take than other takes do
    opened.set(key, members);
    for (const { id } of members) this.behind.set(id, { front, level });
    const made = this.grid.makeCards(members);
    for (const each of made) each.classList.add('ps-member', ...(level === 'alike' && front.take ? ['ps-deeper'] : []));
    this.grid.cards.get(level === 'takes' ? last.id : front.id)?.card?.root.after(...made);
    this.draw(front);
  }

  /**
   * @param {GridHit} front
   * @param {Level} level
   */
  close(front, level) {
    for (const member of this.members(front, level)) {
      for (const deeper of levelsOf(member)) this.close(member, deeper);
      this.grid.cards.get(member.id)?.card?.root.remove();
      this.grid.cards.delete(member.id);
      this.behind.delete(member.id);
    }
    this.opened.delete(keyOf(front, level));
    this.draw(front);
  }

  /** @param {GridHit} front Whose card says what is open, and what A opens next. */
  draw(front) {
    const levels = levelsOf(front);
    const open = levels.filter((level) => this.isOpen(front, level));
    this.grid.cards.get(front.id)?.card?.open(open, levels.find((level) => !open.includes(level)) ?? null);
  }

  /**
   * Return the takes of the set-up that a shot belongs to, in the order of recording, each by the shot that stands for
   * it: the shot itself for its own. Empty where there are no others.
   *
   * @param {number} segment
   * @returns {{id: number, number: number}[]}
   */
  takesOf(segment) {
    const hit = this.frontOf(segment);
    if (!hit?.takes?.length || !hit.take) return [];
    const all = [{ number: hit.take.number, ids: [hit.id, ...hit.alike] }, ...hit.takes];
    return all
      .map(({ number, ids }) => ({ number, id: ids.includes(segment) ? segment : ids[0] }))
      .sort((one, other) => one.number - other.number);
  }

  /**
   * Return the hit in front of the whole stack that a shot is in.
   *
   * @param {number} segment
   */
  frontOf(segment) {
    let hit = this.grid.cards.get(segment)?.hit;
    for (let place = this.behind.get(segment); hit && place; place = this.behind.get(hit.id)) hit = place.front;
    return hit;
  }

  /** @param {GridHit} front @param {Level} level */
  members(front, level) {
    return this.opened.get(keyOf(front, level)) ?? [];
  }

  /** @param {GridHit} front @param {Level} level */
  isOpen(front, level) {
    return this.members(front, level).length > 0;
  }

  /** @param {GridHit} front @param {Level} level */
  isOpening(front, level) {
    return this.opened.has(keyOf(front, level)) && !this.isOpen(front, level);
  }
}

/** @param {GridHit} front @param {Level} level */
function keyOf(front, level) {
  return `${level} ${front.id}`;
}

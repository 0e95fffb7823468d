// Results as a grid of posters, with a preview under the pointer; opens the player, fills the tray, searches by example.

import { element, setOverlayHome } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { clock, durationText } from '../core/timecode.js';
import { tray } from '../core/tray.js';
import { openPlayer } from '../player/player.js';

const HOVER_MILLISECONDS = 90;
const FIRST = 36; // cards made at once: more than a screen shows
const views = new WeakMap();

/**
 * A hit of the search, as the page passes it.
 *
 * @typedef {object} GridHit
 * @property {number} id Of the segment.
 * @property {string} name File name.
 * @property {string} folder
 * @property {number | null} score
 * @property {number | null} share Length of the score bar, 0 to 1; null for a plain list.
 * @property {number} start Seconds.
 * @property {number} end Seconds.
 * @property {boolean} missing Whether the file cannot be found now.
 */

/** @typedef {{token: string, hits: GridHit[], more: boolean, milliseconds?: number}} GridData */

/**
 * Mount the view. Triggers: like {segment}, exclude {segment}, range {segment, start_pts, end_pts}, more.
 *
 * @param {import('../core/types.js').Component<GridData>} component
 * @returns {() => void} Removes the view.
 */
export function mount(component) {
  let view = views.get(component.parentElement);
  if (!view) {
    view = new Grid(component.parentElement);
    views.set(component.parentElement, view);
  }
  view.update(component);
  return () => {
    view.remove();
    views.delete(component.parentElement);
  };
}

class Grid {
  constructor(parent) {
    setOverlayHome(parent);
    this.grid = element('div', { class: 'ps-grid', role: 'listbox', 'aria-label': 'Results', 'data-ps-keys': '' });
    this.more = element('button', {
      class: 'ps-button ps-more',
      type: 'button',
      text: 'Show more',
      hidden: true,
      onclick: () => this.component.setTriggerValue('more', Date.now()),
    });
    parent.append(this.grid, this.more);
    this.cards = new Map();
    // Browsers load lazy pictures from thousands of pixels away; visible ones would wait for those.
    this.posters = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) if (entry.isIntersecting) load(entry.target.querySelector('img'));
      },
      { rootMargin: '300px' },
    );
    this.unwatch = tray.watch();
    this.onTray = () => this.drawTray();
    tray.addEventListener('change', this.onTray);
    this.grid.addEventListener('pointerover', (event) => this.hover(event.target.closest('.ps-card')));
    this.grid.addEventListener('pointerleave', () => this.hover(null));
    this.grid.addEventListener('click', (event) => this.click(event));
    this.grid.addEventListener('focusin', (event) => this.focused(event.target.closest('.ps-card')));
    this.removeKeys = addKeys('Results', [
      { key: 'ArrowRight', label: 'Next', run: (event) => this.move(event, 1) },
      { key: 'ArrowLeft', label: 'Previous', run: (event) => this.move(event, -1) },
      { key: 'ArrowDown', label: 'Row below', run: (event) => this.move(event, 'down') },
      { key: 'ArrowUp', label: 'Row above', run: (event) => this.move(event, 'up') },
      { key: 'Enter', label: 'Open in the player', run: (event) => this.withCurrent(event, (card) => this.open(card)) },
      {
        key: ' ',
        label: 'Preview',
        run: (event) => this.withCurrent(event, (card) => this.preview(card, this.playing !== card)),
      },
      { key: 's S', label: 'Add to the tray', run: () => this.withCurrent(null, (card) => this.keep(card)) },
      { key: 'm M', label: 'More like this', run: () => this.withCurrent(null, (card) => this.like(card)) },
      {
        key: 'n N',
        label: 'Less like this',
        run: () => this.withCurrent(null, (card) => this.trigger('exclude', card)),
      },
    ]);
  }

  update(component) {
    this.component = component;
    const { data } = component;
    if (!data || data.token === this.token) {
      this.more.hidden = !data?.more;
      return;
    }
    this.token = data.token;
    this.hits = data.hits;
    this.grid.dataset.milliseconds = String(data.milliseconds ?? '');
    this.hover(null);
    const before = this.cards;
    this.cards = new Map();
    for (const hit of data.hits) this.cards.set(hit.id, { card: before.get(hit.id)?.card ?? null, hit });
    // Visible cards come first and alone; the rest is made when the browser is idle.
    const ids = [...this.cards.keys()];
    this.grid.replaceChildren(...ids.slice(0, FIRST).map((id) => this.cardOf(id)));
    this.grid.querySelectorAll('.ps-card').forEach((card, at) => {
      card.tabIndex = at === 0 ? 0 : -1;
    });
    this.more.hidden = !data.more;
    this.drawTray();
    this.awaitPosters(data.token, ids.slice(FIRST));
  }

  /** Return the card of a hit, filled in. Cards of the last results are used again. */
  cardOf(id) {
    const known = this.cards.get(id);
    known.card ??= this.card(known.hit);
    known.card.tabIndex = -1;
    this.fill(known.card, known.hit);
    this.posters.observe(known.card);
    return known.card;
  }

  card(hit) {
    const action = (label, text, name) =>
      element('button', {
        class: 'ps-action',
        type: 'button',
        tabindex: '-1',
        'aria-label': label,
        title: label,
        'data-action': name,
        text,
      });
    return element(
      'div',
      { class: 'ps-card', role: 'option', 'data-segment': String(hit.id) },
      element(
        'div',
        { class: 'ps-frame' },
        element('img', { alt: '', decoding: 'async', 'data-src': `/api/poster/${hit.id}` }),
        element('span', { class: 'ps-length' }),
        element('span', { class: 'ps-gone', text: 'file not there now', hidden: true }),
        element(
          'div',
          { class: 'ps-actions' },
          action('Add to the tray (S)', '+', 'keep'),
          action('More like this (M)', '≈', 'like'),
          action('Less like this (N)', '−', 'exclude'),
        ),
        element('div', { class: 'ps-score' }, element('i', {})),
      ),
      element(
        'div',
        { class: 'ps-about' },
        element('span', { class: 'ps-number' }),
        element('span', { class: 'ps-when' }),
        element('span', { class: 'ps-name' }),
      ),
    );
  }

  fill(card, hit) {
    const part = (name) => card.querySelector(`.ps-${name}`);
    part('length').textContent = durationText(hit.end - hit.start);
    part('when').textContent = clock(hit.start).slice(0, 8);
    part('name').textContent = hit.name;
    part('gone').hidden = !hit.missing;
    part('score').hidden = hit.share === null;
    part('score').firstChild.style.width = `${Math.round((hit.share ?? 0) * 100)}%`;
    part('number').textContent = hit.score === null ? '' : hit.score.toFixed(2);
    card.title = `${hit.folder}/${hit.name}`;
    card.setAttribute(
      'aria-label',
      `${hit.name}, at ${clock(hit.start)}, ${durationText(hit.end - hit.start)}${hit.score === null ? '' : `, score ${hit.score.toFixed(2)}`}${hit.missing ? ', file not there now' : ''}`,
    );
  }

  /** Mark the grid as ready once all visible posters have loaded or failed. */
  awaitPosters(token, later) {
    const settled = (image) =>
      image.complete && image.src
        ? null
        : new Promise((done) => {
            image.addEventListener('load', done, { once: true });
            image.addEventListener('error', done, { once: true });
          });
    requestAnimationFrame(async () => {
      const seen = [...this.grid.querySelectorAll('img')].filter((image) => {
        const box = image.getBoundingClientRect();
        return box.top < innerHeight && box.bottom > 0;
      });
      for (const image of seen) load(image);
      await Promise.all(seen.map(settled));
      if (token !== this.token) return;
      this.grid.dataset.ready = token;
      this.addLater(token, later);
    });
  }

  addLater(token, ids) {
    if (token !== this.token || !ids.length) return;
    const more = () => {
      if (token !== this.token) return;
      this.grid.append(...ids.splice(0, FIRST).map((id) => this.cardOf(id)));
      this.drawTray();
      this.addLater(token, ids);
    };
    if (window.requestIdleCallback) requestIdleCallback(more, { timeout: 500 });
    else setTimeout(more, 50);
  }

  drawTray() {
    const kept = new Set(tray.current?.subclips.map((clip) => clip.segment));
    for (const [id, { card }] of this.cards) card?.classList.toggle('ps-kept', kept.has(id));
  }

  // Hover

  hover(card) {
    if (card === this.over) return;
    this.over = card;
    clearTimeout(this.timer);
    if (card) this.timer = setTimeout(() => this.preview(card, true), HOVER_MILLISECONDS);
    else this.preview(null, false);
  }

  /** Play one muted preview at a time; null stops it. Previews are small files of their own. */
  preview(card, play) {
    if (this.playing) {
      const video = this.playing.querySelector('video');
      if (video) {
        video.removeAttribute('src');
        video.load();
        video.remove();
      }
      this.playing = null;
    }
    if (!card || !play || (matchMedia('(prefers-reduced-motion: reduce)').matches && card === this.over)) return;
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
    this.playing = card;
  }

  // Input

  click(event) {
    const card = event.target.closest('.ps-card');
    if (!card) return;
    const action = event.target.closest('[data-action]')?.dataset.action;
    this.focused(card);
    if (action === 'keep') this.keep(card);
    else if (action === 'like') this.like(card);
    else if (action === 'exclude') this.trigger('exclude', card);
    else this.open(card);
  }

  focused(card) {
    if (!card) return;
    for (const each of this.grid.querySelectorAll('.ps-card[tabindex="0"]')) each.tabIndex = -1;
    card.tabIndex = 0;
  }

  current() {
    return document.activeElement?.closest?.('.ps-card') ?? this.over ?? null;
  }

  withCurrent(event, run) {
    if (event && onControl(event)) return false;
    const card = this.current();
    if (!card || !this.grid.contains(card)) return false;
    run(card);
    return true;
  }

  move(event, by) {
    const cards = [...this.grid.children];
    if (!cards.length || onControl(event)) return false;
    const current = document.activeElement?.closest?.('.ps-card');
    if (!current && !document.activeElement?.matches('body, .ps-grid') && document.activeElement !== null) return false;
    const at = current ? cards.indexOf(current) : -1;
    let to;
    if (at < 0) to = 0;
    else if (by === 'down' || by === 'up') {
      const columns = cards.findIndex((card) => card.offsetTop > cards[0].offsetTop);
      to = at + (by === 'down' ? 1 : -1) * (columns < 0 ? cards.length : columns);
    } else to = at + by;
    if (to < 0 || to >= cards.length) return true;
    this.focused(cards[to]);
    cards[to].focus();
    cards[to].scrollIntoView({ block: 'nearest' });
    return true;
  }

  hitOf(card) {
    return this.cards.get(Number(card.dataset.segment)).hit;
  }

  keep(card) {
    const hit = this.hitOf(card);
    tray.add([{ segment: hit.id, score: hit.score ?? undefined }]);
  }

  like(card) {
    this.trigger('like', card);
  }

  trigger(name, card) {
    // `at` makes a value unique, so that the same segment can be triggered twice.
    this.component.setTriggerValue(name, { segment: Number(card.dataset.segment), at: Date.now() });
  }

  open(card) {
    this.preview(null, false);
    const items = this.hits.map((hit) => ({ id: hit.id, score: hit.score ?? undefined }));
    openPlayer(
      items,
      this.hits.findIndex((hit) => hit.id === Number(card.dataset.segment)),
      {
        onLike: (segment) => this.component.setTriggerValue('like', { segment, at: Date.now() }),
        onExclude: (segment) => this.component.setTriggerValue('exclude', { segment, at: Date.now() }),
        onRange: (range) => this.component.setTriggerValue('range', { ...range, at: Date.now() }),
        onClose: (segment) => this.cards.get(segment)?.card?.focus({ preventScroll: false }),
      },
    );
  }

  remove() {
    this.hover(null);
    this.posters.disconnect();
    this.removeKeys();
    this.unwatch();
    tray.removeEventListener('change', this.onTray);
    this.grid.remove();
    this.more.remove();
  }
}

function load(image) {
  if (image.dataset.src) {
    image.src = image.dataset.src;
    delete image.dataset.src;
  }
}

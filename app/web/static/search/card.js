// Card of a hit: its poster, which is loaded when asked for, and what is known of it.

import { element, setText } from '../core/dom.js';
import { cardTexts } from './card_texts.js';
import { foundNodes } from './found_line.js';
import { opinionNodes } from './opinions.js';
import { levelsOf } from './stacks.js';

const QUICK = 'Seen in a few frames so far: motion waits for the full pass';

/** The card of one segment. `root` names it in `data-segment`; it is a row of a grid, as what takes the focus and holds buttons. */
export class HitCard {
  /** @param {number} segment */
  constructor(segment) {
    this.label = '';
    /** @type {{take: string, takes: string, alike: string}} */
    this.texts = { take: '', takes: '', alike: '' };
    this.image = element('img', { alt: '', decoding: 'async', 'data-src': `/api/poster/${segment}` });
    this.length = element('span', { class: 'ps-length' });
    this.quick = element('span', { class: 'ps-quick', text: 'Quick', title: QUICK, hidden: true });
    this.gone = element('span', { class: 'ps-gone', text: 'Offline', hidden: true });
    this.alike = element('button', {
      class: 'ps-stack-button',
      type: 'button',
      tabindex: '-1',
      'data-action': 'stack',
      hidden: true,
    });
    this.take = element('span', { class: 'ps-take', hidden: true });
    this.bar = element('i', {});
    this.score = element('div', { class: 'ps-score' }, this.bar);
    this.number = element('span', { class: 'ps-number' });
    this.when = element('span', { class: 'ps-when' });
    this.name = element('span', { class: 'ps-name' });
    this.opinions = element('div', { class: 'ps-opinions', role: 'gridcell', hidden: true });
    this.found = element('div', { class: 'ps-found', role: 'gridcell', hidden: true });
    this.compare = action('Compare takes side by side (C)', '◫', 'compare');
    this.root = element(
      'div',
      { class: 'ps-card', role: 'row', tabindex: '-1', 'data-segment': String(segment) },
      element(
        'div',
        { class: 'ps-frame', role: 'gridcell' },
        this.image,
        this.length,
        element('div', { class: 'ps-badges' }, this.take, this.alike, this.quick, this.gone),
        element(
          'div',
          { class: 'ps-actions' },
          action('Add to tray (S)', '+', 'keep'),
          action('More like this (M)', '≈', 'like'),
          action('Less like this (N)', '−', 'exclude'),
          this.compare,
        ),
        this.score,
      ),
      element('div', { class: 'ps-about', role: 'gridcell' }, this.number, this.when, this.name),
      this.opinions,
      this.found,
    );
  }

  /** @param {import('./grid.js').GridHit} hit The segment, as a hit of the present search. */
  fill(hit) {
    const texts = cardTexts(hit);
    this.length.textContent = texts.length;
    this.when.textContent = texts.when;
    setText(this.name, hit.name);
    this.name.title = texts.title;
    this.number.textContent = texts.score;
    this.number.title = texts.meaning;
    this.score.title = texts.meaning;
    const opinions = opinionNodes(hit.opinions ?? []);
    this.opinions.hidden = !opinions.length;
    this.opinions.replaceChildren(...opinions);
    this.found.hidden = !hit.found;
    this.found.replaceChildren(...(hit.found ? foundNodes(hit.found) : []));
    this.quick.hidden = !hit.quick;
    this.gone.hidden = !hit.missing;
    this.score.hidden = texts.bar === null;
    this.bar.style.width = texts.bar ?? '0%';
    if (texts.level) this.root.dataset.level = texts.level;
    else delete this.root.dataset.level;
    this.texts = texts;
    this.compare.hidden = !texts.takes;
    this.root.classList.toggle('ps-stacked', Boolean(texts.stack));
    this.root.classList.remove('ps-member', 'ps-deeper');
    const [next = null] = levelsOf(hit);
    this.open([], next);
    this.label = texts.label;
    this.keep(false);
  }

  /** @param {boolean} kept Whether the tray has the shot. */
  keep(kept) {
    this.root.classList.toggle('ps-kept', kept);
    this.root.setAttribute('aria-label', kept ? `${this.label}, in tray` : this.label);
  }

  /**
   * Show what of the stack is open.
   *
   * @param {import('./stacks.js').Level[]} open
   * @param {import('./stacks.js').Level | null} next What A opens; null: nothing is left to open.
   */
  open(open, next) {
    const { texts } = this;
    const level = next ?? open[0];
    const name = level === 'takes' ? 'takes' : 'near-duplicates';
    const label = `${next ? 'Show' : 'Hide'} ${next ? name : open.length > 1 ? 'the stack' : name} (A)`;
    this.alike.hidden = !level;
    this.alike.textContent = level === 'takes' ? texts.takes : texts.alike;
    this.alike.title = label;
    this.alike.setAttribute('aria-label', `${this.alike.textContent}: ${label}`);
    this.alike.setAttribute('aria-expanded', String(open.length > 0));
    this.root.classList.toggle('ps-open', open.length > 0);
    this.take.textContent = texts.take;
    this.take.hidden = !texts.take || (texts.takes !== '' && !open.includes('takes'));
  }
}

/**
 * @param {string} label
 * @param {string} text
 * @param {string} name
 */
function action(label, text, name) {
  return element('button', {
    class: 'ps-action',
    type: 'button',
    tabindex: '-1',
    'aria-label': label,
    title: label,
    'data-action': name,
    text,
  });
}

/**
 * Load a poster, once.
 *
 * @param {HTMLImageElement} image
 */
export function loadPoster(image) {
  if (image.dataset.src) {
    image.src = image.dataset.src;
    delete image.dataset.src;
  }
}

// Line list: the lines of a transcript as a list that keys walk through, with those that are said now in view.

import { element } from '../../core/dom.js';
import { timeText } from '../../core/timecode.js';
import { KINDS } from './tracks.js';
import { partsOf, shownText } from './words.js';

const PAGE = 10; // lines that Page Up and Page Down pass
const BLOCK = 50; // rows that are drawn together
const ROW_REM = 2; // height of most

/** @typedef {import('../../core/types.js').TextLine} TextLine */
/** @typedef {import('../../core/types.js').TextTrack} TextTrack */

/**
 * @typedef {object} ListCallbacks
 * @property {(line: TextLine) => void} play
 * @property {() => void} copy
 * @property {() => void} leave Give the focus back to the player, whose keys a person expects to work after a click.
 * @property {() => void} scrolled A person has scrolled, or walks through the list.
 */

/**
 * Rows are in blocks. Those that are out of view are neither laid out nor painted (`content-visibility`), so that ten
 * thousand rows are smooth; all are there for the browser's own search and for copying.
 */
export class LineList {
  /** @type {TextLine[]} */
  lines = []; // those that are shown
  /** @type {Map<number, HTMLElement>} */
  rows = new Map(); // by the id of the line
  /** @type {Set<TextLine>} */
  selected = new Set();
  /** @type {TextLine | null} */
  active = null; // the one that keys apply to
  /** @type {TextLine | null} */
  anchor = null; // where a selection with Shift begins
  /** @type {TextLine[]} */
  current = []; // those that are said now
  root = element('div', {
    class: 'ps-lines',
    role: 'listbox',
    tabindex: '0',
    'aria-label': 'Lines of the transcript',
    'aria-multiselectable': 'true',
  });

  /** @param {ListCallbacks} callbacks */
  constructor(callbacks) {
    this.callbacks = callbacks;
    const { root } = this;
    for (const name of ['wheel', 'touchmove']) root.addEventListener(name, callbacks.scrolled, { passive: true });
    root.addEventListener('pointerdown', (event) => event.target === root && callbacks.scrolled()); // its scroll bar
    root.addEventListener('click', (event) => this.click(event));
    root.addEventListener('keydown', (event) => this.key(event));
    // Not by a press of the mouse: the list would scroll away under it before the click.
    let pressed = false;
    root.addEventListener('pointerdown', () => (pressed = true));
    root.addEventListener('focus', () => {
      if (!pressed) this.activate(this.active ?? this.current[0] ?? this.lines[0] ?? null);
    });
    root.addEventListener('click', () => (pressed = false));
  }

  clear() {
    this.lines = [];
    this.rows.clear();
    this.current = [];
    this.active = null;
    this.anchor = null;
    this.selected.clear();
    this.root.replaceChildren();
    this.root.removeAttribute('aria-activedescendant');
  }

  /**
   * Show lines below those that are shown.
   *
   * @param {TextLine[]} lines
   * @param {(line: TextLine) => TextTrack['kind']} kindOf
   * @param {string[]} terms Folded words to highlight.
   */
  append(lines, kindOf, terms) {
    const rows = lines.map((line) => {
      const row = rowOf(line, kindOf(line), terms);
      this.rows.set(line.id, row);
      return row;
    });
    this.lines = [...this.lines, ...lines];
    for (let at = 0; at < rows.length; at += BLOCK) {
      const some = rows.slice(at, at + BLOCK);
      const block = element('div', { class: 'ps-lines-block', role: 'presentation' }, ...some);
      block.style.containIntrinsicBlockSize = `auto ${ROW_REM * some.length}rem`;
      this.root.append(block);
    }
  }

  /**
   * Mark the lines that are said now.
   *
   * @param {TextLine[]} lines
   * @returns {boolean} Whether they are others than before.
   */
  mark(lines) {
    const current = lines.filter((line) => this.rows.has(line.id));
    if (current.length === this.current.length && current.every((line, at) => line === this.current[at])) return false;
    for (const line of this.current) {
      this.rows.get(line.id)?.classList.remove('ps-now');
      this.rows.get(line.id)?.removeAttribute('aria-current');
    }
    this.current = current;
    for (const line of current) {
      this.rows.get(line.id)?.classList.add('ps-now');
      this.rows.get(line.id)?.setAttribute('aria-current', 'true');
    }
    return true;
  }

  /**
   * Scroll a line into view, within the list only.
   *
   * @param {TextLine} line
   * @param {number} [place] Where in the window it is put, from 0 (top) to 1.
   */
  reveal(line, place = 0.3) {
    const row = this.rows.get(line.id);
    if (!row) return;
    const window = this.root.getBoundingClientRect();
    const { top, bottom } = row.getBoundingClientRect();
    if (top >= window.top && bottom <= window.bottom) return;
    this.root.scrollTop += top - window.top - place * Math.max(0, window.height - (bottom - top));
  }

  /** The lines to copy: those that are selected, or all that are shown. */
  get chosen() {
    return this.selected.size ? this.lines.filter((line) => this.selected.has(line)) : this.lines;
  }

  /** @param {TextLine | null} line */
  activate(line) {
    if (this.active) this.rows.get(this.active.id)?.classList.remove('ps-active');
    this.active = line;
    const row = line && this.rows.get(line.id);
    if (!line || !row) return;
    row.classList.add('ps-active');
    this.root.setAttribute('aria-activedescendant', row.id);
    this.reveal(line, 0.5);
  }

  /**
   * @param {TextLine} line
   * @param {boolean} whether
   */
  select(line, whether) {
    if (whether) this.selected.add(line);
    else this.selected.delete(line);
    this.rows.get(line.id)?.setAttribute('aria-selected', String(whether));
  }

  selectNone() {
    for (const line of [...this.selected]) this.select(line, false);
  }

  /**
   * Select all from where the selection began, and no others.
   *
   * @param {TextLine} line
   */
  selectTo(line) {
    this.anchor ??= this.active ?? line;
    this.selectNone();
    const [from, to] = [this.lines.indexOf(this.anchor), this.lines.indexOf(line)].sort((a, b) => a - b);
    for (const each of this.lines.slice(Math.max(0, from), to + 1)) this.select(each, true);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const row = event.target instanceof Element ? event.target.closest('[role=option]') : null;
    const line = row && this.lines.find(({ id }) => this.rows.get(id) === row);
    if (!line) return;
    if (event.shiftKey) this.selectTo(line);
    else if (event.ctrlKey || event.metaKey) this.toggle(line);
    else if (getSelection()?.isCollapsed !== false) {
      this.selectNone();
      this.anchor = null;
      this.activate(line);
      this.callbacks.play(line);
      this.callbacks.leave();
      return;
    }
    this.activate(line);
  }

  /** @param {TextLine} line */
  toggle(line) {
    this.select(line, !this.selected.has(line));
    this.anchor = line;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { active, lines } = this;
    if (!active || event.altKey) return;
    const at = lines.indexOf(active);
    /** @type {Record<string, number>} */
    const steps = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + PAGE,
      PageUp: at - PAGE,
      Home: 0,
      End: lines.length,
    };
    const withControl = event.ctrlKey || event.metaKey;
    if (event.key in steps && !withControl) {
      const line = lines[Math.min(Math.max(steps[event.key], 0), lines.length - 1)];
      this.callbacks.scrolled();
      if (event.shiftKey) this.selectTo(line);
      else this.anchor = null;
      this.activate(line);
    } else if (event.key === 'Enter' && !withControl) this.callbacks.play(active);
    else if (event.key === ' ' && !withControl) this.toggle(active);
    else if (withControl && event.key === 'a') for (const line of lines) this.select(line, true);
    else if (withControl && event.key === 'c' && getSelection()?.isCollapsed !== false) {
      if (!this.selected.size) this.select(active, true);
      this.callbacks.copy();
    } else return;
    event.preventDefault();
  }
}

/**
 * Create the row of a line.
 *
 * @param {TextLine} line
 * @param {TextTrack['kind']} kind
 * @param {string[]} terms Folded.
 */
function rowOf(line, kind, terms) {
  const text = element('span', { class: 'ps-line-text', dir: 'auto' });
  const shown = shownText(line.text);
  if (terms.length) {
    text.append(
      ...partsOf(shown, terms).map((part) => (part.found ? element('mark', { text: part.text }) : part.text)),
    );
  } else text.textContent = shown;
  return element(
    'div',
    { class: `ps-line ps-line-${kind}`, role: 'option', id: `ps-line-${line.id}`, 'aria-selected': 'false' },
    element('span', { class: 'ps-line-time', text: timeText(line.start) }),
    text,
    element('span', { class: 'ps-line-kind', text: KINDS[kind] }),
  );
}

// Rows of a collection's subclips: selection, order by keys and dragging, fields for names and notes, previews.

import { element } from '../core/dom.js';
import { onControl } from '../core/keys.js';
import { PosterPreview } from '../core/poster_preview.js';
import { startDrag } from './drag.js';
import { clipName } from './names.js';
import { onePlace } from './order.js';
import { ClipRow } from './row.js';
import { RowSelection } from './selection.js';

/** @typedef {import('../core/types.js').Subclip} Subclip */
/** @typedef {import('./row.js').TextField} TextField */

/**
 * Callbacks of the rows.
 *
 * @typedef {object} RowActions
 * @property {(id: number) => unknown} trim
 * @property {(ids: number[]) => unknown} takeOut
 * @property {(ids: number[], after: number | null) => unknown} move `after`: the subclip before them; null for the first
 *   place.
 * @property {() => unknown} undo
 * @property {() => unknown} selected The selection has changed.
 * @property {(entry: import('./edits.js').Edit) => unknown} escaped An edit was dropped by Escape.
 */

/** A list of rows, one a subclip. */
export class ClipRows {
  /**
   * @param {import('./edits.js').Edits} edits
   * @param {RowActions} actions
   */
  constructor(edits, actions) {
    this.edits = edits;
    this.actions = actions;
    /** @type {Subclip[]} */
    this.clips = [];
    /** @type {Map<number, ClipRow>} */
    this.rows = new Map(); // by id
    this.selection = new RowSelection();
    this.dragged = false; // whether a drag is under way
    this.previews = new PosterPreview((poster) => this.clipOf(this.rowOf(poster)?.id)?.segment ?? null);
    this.list = element('div', {
      class: 'ps-clips',
      role: 'grid',
      'aria-label': 'Subclips',
      'aria-multiselectable': 'true',
      onclick: (event) => this.click(event),
      ondblclick: ({ target }) => {
        const row = this.rowOf(target);
        if (row && !within(target, 'input, textarea, button')) this.actions.trim(row.id);
      },
      onkeydown: (event) => this.ctrlKeys(event),
      onfocusin: ({ target }) => this.focused(target),
      onpointerdown: (event) => startDrag(this, event),
      onpointerover: ({ target }) => this.hover(within(target, '.ps-clip-poster')),
      onpointerleave: () => this.hover(null),
    });
    // Handled before the page's own keys, which take the focus away on Escape: that would save what Escape should drop.
    this.onEscape = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape') this.escape(event.target);
    };
    window.addEventListener('keydown', this.onEscape, true);
  }

  remove() {
    window.removeEventListener('keydown', this.onEscape, true);
    this.previews.remove();
  }

  // Rows

  /**
   * Show these subclips. Focus, selection and what is being typed stay.
   *
   * @param {Subclip[]} clips
   */
  update(clips) {
    this.clips = clips;
    const ids = new Set(clips.map((clip) => clip.id));
    let lost = false; // whether the row went that had the focus
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      lost ||= row.element.contains(document.activeElement);
      row.element.remove();
      this.rows.delete(id);
    }
    this.selection.update([...ids]);
    const rows = clips.map((clip, at) => {
      const row = this.rows.get(clip.id) ?? this.addRow(clip.id);
      row.fill(clip, at);
      return row.element;
    });
    this.place(rows);
    this.list.setAttribute('aria-rowcount', String(clips.length));
    if (lost) this.currentRow()?.element.focus();
    this.drawChosen();
  }

  /** @param {number} id */
  addRow(id) {
    const row = new ClipRow(id, this.edits, {
      typed: (field, value) => {
        const clip = this.clipOf(id);
        if (clip) this.edits.put({ ...clip, label: clipName(clip) }, field, value);
      },
      left: () => void this.edits.send(id),
      key: (event, field) => this.fieldKeys(event, id, field),
    });
    this.rows.set(id, row);
    return row;
  }

  /**
   * Put rows in order without ever moving the one that has the focus: it would lose it, and with it what is being typed.
   *
   * @param {HTMLElement[]} rows
   */
  place(rows) {
    const there = [...this.list.querySelectorAll(':scope > .ps-clip')];
    if (there.length === rows.length && rows.every((row, at) => row === there[at])) return;
    const held = rows.find((row) => row.contains(document.activeElement));
    const at = held ? rows.indexOf(held) : rows.length;
    rows.forEach((row, number) => {
      if (number < at) this.list.insertBefore(row, held ?? null);
      else if (number > at) this.list.append(row);
    });
  }

  /** Draw fields and states again, after edits have changed. */
  drawEdits() {
    for (const clip of this.clips) this.rows.get(clip.id)?.drawEdits(clip);
  }

  /**
   * Return the row that an element is in, or null.
   *
   * @param {EventTarget | null} target
   * @returns {ClipRow | null}
   */
  rowOf(target) {
    return this.rows.get(Number(within(target, '.ps-clip')?.dataset.clip)) ?? null;
  }

  /** @param {number | undefined} id */
  clipOf(id) {
    return this.clips.find((clip) => clip.id === id) ?? null;
  }

  currentRow() {
    const { current } = this.selection;
    return current === null ? null : (this.rows.get(current) ?? null);
  }

  // Typing

  /**
   * @param {KeyboardEvent} event
   * @param {number} id
   * @param {TextField} field
   */
  fieldKeys(event, id, field) {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !(event.shiftKey && field === 'note')) {
      event.preventDefault();
      event.stopPropagation();
      this.focus(id);
    } else if (event.key === 'Tab' && !event.shiftKey && field === 'note') {
      const next = this.clips[this.clips.findIndex((clip) => clip.id === id) + 1];
      if (!next) return;
      event.preventDefault(); // to the next row's name, so that names can be written down the list without a mouse
      this.edit(next.id, 'name');
    }
  }

  /** @param {EventTarget | null} target The element that has the focus. */
  escape(target) {
    const row = this.rowOf(target);
    const field = row?.fieldOf(target);
    if (!row || !field) return;
    const entry = this.edits.of(row.id, field);
    if (entry && entry.state === 'typed') {
      this.edits.drop(row.id, field);
      this.actions.escaped({ ...entry });
    }
    // The row takes the focus, so that keys keep working.
    queueMicrotask(() => this.focus(row.id));
  }

  /**
   * Start to write in a field.
   *
   * @param {number} id
   * @param {TextField} field
   */
  edit(id, field) {
    const row = this.rows.get(id);
    if (!row) return;
    this.choose(id);
    row[field].focus();
    if (field === 'name') row.name.select();
    row.element.scrollIntoView({ block: 'nearest' });
  }

  // Selection

  /**
   * Give a row the focus. The selection stays.
   *
   * @param {number} id
   */
  focus(id) {
    const row = this.rows.get(id);
    if (!row) return;
    this.selection.focus(id);
    this.drawChosen();
    row.element.focus({ preventScroll: true });
    row.element.scrollIntoView({ block: 'nearest' });
  }

  /** @param {EventTarget | null} target The element that has got the focus. */
  focused(target) {
    const row = this.rowOf(target);
    if (!row || this.selection.current === row.id) return;
    this.selection.focus(row.id);
    this.drawChosen();
  }

  /**
   * Select one row alone.
   *
   * @param {number} id
   */
  choose(id) {
    this.selection.choose(id);
    this.chosenChanged();
  }

  /** Select none. Returns whether any was selected. */
  chooseNone() {
    if (!this.selection.clear()) return false;
    this.chosenChanged();
    return true;
  }

  /** Forget the selection, before another collection is shown. */
  forget() {
    this.selection.clear();
  }

  /** Return the selected ids in order; without a selection, that of the row that has the focus. */
  targets() {
    const chosen = this.selection.ordered;
    if (chosen.length) return chosen;
    const row = this.currentRow();
    return row && this.list.contains(document.activeElement) ? [row.id] : [];
  }

  chosenChanged() {
    this.drawChosen();
    this.actions.selected();
  }

  drawChosen() {
    const { chosen, current } = this.selection;
    for (const [id, row] of this.rows) row.drawChosen(chosen.has(id), id === current);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const row = this.rowOf(event.target);
    if (!row || this.dragged) return;
    const { id } = row;
    const action = within(event.target, '[data-action]')?.dataset.action;
    if (action === 'trim') this.actions.trim(id);
    else if (action === 'take-out') this.actions.takeOut([id]);
    if (action || within(event.target, 'button')) return;
    if (within(event.target, '.ps-field')) {
      if (!this.selection.chosen.has(id)) this.choose(id);
      return;
    }
    const ctrl = event.ctrlKey || event.metaKey;
    if (event.shiftKey) this.selection.chooseTo(id, ctrl);
    else if (ctrl) this.selection.toggle(id);
    else this.selection.choose(id);
    this.chosenChanged();
    row.element.focus({ preventScroll: true });
  }

  /**
   * Handle keys with Ctrl and Alt; those without a modifier are in the page's layer.
   *
   * @param {KeyboardEvent} event
   */
  ctrlKeys(event) {
    const ctrl = (event.ctrlKey || event.metaKey) && within(event.target, 'input, textarea') === null;
    if (ctrl && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      this.selection.chooseAll();
      this.chosenChanged();
    } else if (ctrl && event.key.toLowerCase() === 'z') {
      event.preventDefault();
      this.actions.undo();
    } else if (event.altKey && !event.ctrlKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      this.shift(event.key === 'ArrowUp' ? -1 : 1);
    }
  }

  /**
   * Move to another row (keys Up, Down, Home, End).
   *
   * @param {Event} event
   * @param {number} by Number of rows; -Infinity for the first, Infinity for the last.
   * @param {boolean} extend Whether rows on the way are selected.
   * @returns {boolean} Whether the key was meant for the rows.
   */
  step(event, by, extend) {
    const target = document.activeElement;
    const here = this.list.contains(target);
    if (!here && target && !target.matches('body, .ps-collections, .ps-collections *')) return false;
    if (!here && onControl(event)) return false;
    const id = this.selection.beside(here ? by : 0);
    if (id === null) return false;
    if (extend) this.selection.chooseTo(id);
    else this.selection.choose(id);
    this.chosenChanged();
    this.focus(id);
    return true;
  }

  /**
   * Move the selection by one place, several as a block.
   *
   * @param {-1 | 1} by
   */
  shift(by) {
    const ids = this.targets();
    const to = onePlace(this.selection.order, ids, by);
    if (to) this.actions.move(ids, to.after);
  }

  // Previews

  /** @param {Element | null} poster */
  hover(poster) {
    this.previews.hover(poster);
  }

  previewCurrent() {
    const row = this.currentRow();
    if (row) this.previews.toggle(row.poster);
  }
}

/**
 * Return the element around a target, or itself, that matches a selector; null where there is none.
 *
 * @param {EventTarget | null} target
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
function within(target, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

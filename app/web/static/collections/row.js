// Row of a subclip: poster, fields for name and note, in, out and length.

import { element, setText } from '../core/dom.js';
import { MAX_NAME_LENGTH, MAX_NOTE_LENGTH } from '../core/limits.js';
import { durationText } from '../core/timecode.js';
import { editState } from './edit_state.js';
import { clipName } from './names.js';
import { framesText } from './summary.js';
import { clipTimes } from './times.js';

/** @typedef {import('../core/types.js').Subclip} Subclip */
/** @typedef {'name' | 'note'} TextField */
/** @typedef {HTMLInputElement | HTMLTextAreaElement} TextInput */

/** @type {readonly TextField[]} */
const TEXT_FIELDS = ['name', 'note'];

/**
 * Callbacks of a row.
 *
 * @typedef {object} RowEvents
 * @property {(field: TextField, value: string) => void} typed
 * @property {() => void} left A field has lost the focus.
 * @property {(event: KeyboardEvent, field: TextField) => void} key A key was pressed in a field.
 */

/** One row of the list. */
export class ClipRow {
  /**
   * @param {number} id
   * @param {import('./edits.js').Edits} edits
   * @param {RowEvents} events
   */
  constructor(id, edits, events) {
    this.id = id;
    this.edits = edits;
    this.number = element('span', { class: 'ps-clip-number' });
    this.length = element('span', { class: 'ps-length' });
    this.gone = element('span', {
      class: 'ps-gone',
      text: 'Offline',
      title: 'The file cannot be found. Is its drive connected?',
      hidden: true,
    });
    this.file = element('div', { class: 'ps-clip-file ps-muted' });
    this.state = element('div', { class: 'ps-clip-state', role: 'status' });
    this.stateToken = '[]';
    this.posterAddress = '';
    this.name = element('input', {
      ...written('name', 'Name', events),
      maxlength: MAX_NAME_LENGTH,
      spellcheck: 'false',
      oninput: () => this.typed('name', events),
    });
    this.note = element('textarea', {
      ...written('note', 'Note', events),
      maxlength: MAX_NOTE_LENGTH,
      rows: '1',
      placeholder: 'Note',
      oninput: () => this.typed('note', events),
    });
    this.poster = cell('poster', this.length, this.gone);
    this.times = { in: cell('in'), out: cell('out'), span: cell('span') };
    this.element = element(
      'div',
      { class: 'ps-clip', role: 'row', tabindex: '-1', 'data-clip': String(id) },
      cell('order', element('span', { class: 'ps-grip', 'aria-hidden': 'true', title: 'Drag to move' }), this.number),
      this.poster,
      cell('words', this.name, this.file, this.note, this.state),
      this.times.in,
      this.times.out,
      this.times.span,
      cell('actions', button('✂', 'Trim (Enter)', 'trim'), button('×', 'Remove (Delete)', 'take-out')),
    );
  }

  /**
   * Show a subclip.
   *
   * @param {Subclip} clip
   * @param {number} at Its place, from 0.
   */
  fill(clip, at) {
    const times = clipTimes(clip);
    const label = [
      `${at + 1}`,
      clipName(clip),
      `in ${times.in.code}`,
      `out ${times.out.code}`,
      framesText(times.length.frames),
      ...(clip.missing ? ['offline'] : []),
    ];
    this.element.dataset.at = String(at);
    this.element.setAttribute('aria-rowindex', String(at + 1));
    this.element.setAttribute('aria-label', label.join(', '));
    setText(this.number, String(at + 1));
    setText(this.file, clip.fileName);
    this.file.title = clip.path;
    setText(this.length, durationText(clip.end - clip.start));
    this.gone.hidden = !clip.missing;
    drawTime(this.times.in, 'In', times.in.code, String(times.in.frames));
    drawTime(this.times.out, 'Out', times.out.code, String(times.out.frames));
    drawTime(this.times.span, 'Length', times.length.code, framesText(times.length.frames));
    this.drawPoster(clip);
    this.name.placeholder = clip.title || clip.fileName;
    this.drawEdits(clip);
  }

  /** @param {Subclip} clip */
  drawPoster(clip) {
    const address = clip.poster ?? '';
    if (this.posterAddress === address) return;
    this.posterAddress = address;
    this.poster.querySelector('img')?.remove();
    if (address)
      this.poster.prepend(
        element('img', { src: address, alt: '', loading: 'lazy', decoding: 'async', draggable: false }),
      );
  }

  /**
   * Show fields: the edit that is not saved yet, else the server's value; and the states of edits.
   *
   * @param {Subclip} clip
   */
  drawEdits(clip) {
    for (const field of TEXT_FIELDS) {
      const value = this.edits.of(clip.id, field)?.value ?? clip[field] ?? '';
      if (this[field].value !== value) this[field].value = value;
      this.drawEmpty(field);
    }
    fit(this.note);
    const entries = TEXT_FIELDS.flatMap((field) => this.edits.of(clip.id, field) ?? []);
    const token = JSON.stringify(entries.map(({ field, state, message, theirs }) => [field, state, message, theirs]));
    if (this.stateToken === token) return;
    this.stateToken = token;
    const held = this.state.contains(document.activeElement);
    this.state.replaceChildren(...entries.flatMap((entry) => editState(entry, this.edits) ?? []));
    if (held) this.element.focus({ preventScroll: true }); // its buttons are others now
  }

  /**
   * @param {TextField} field
   * @param {RowEvents} events
   */
  typed(field, events) {
    if (field === 'note') fit(this.note);
    this.drawEmpty(field);
    events.typed(field, this[field].value);
  }

  /** @param {TextField} field */
  drawEmpty(field) {
    this.element.dataset[`${field}Empty`] = String(!this[field].value);
  }

  /**
   * Return the field that an event comes from, or null.
   *
   * @param {EventTarget | null} target
   * @returns {TextField | null}
   */
  fieldOf(target) {
    return TEXT_FIELDS.find((field) => this[field] === target) ?? null;
  }

  /**
   * @param {boolean} chosen Whether the row is selected.
   * @param {boolean} current Whether Tab reaches it and its fields.
   */
  drawChosen(chosen, current) {
    this.element.classList.toggle('ps-chosen', chosen);
    this.element.setAttribute('aria-selected', String(chosen));
    this.element.tabIndex = current ? 0 : -1;
    /** @type {NodeListOf<HTMLElement>} */
    const parts = this.element.querySelectorAll('input, textarea, button');
    for (const part of parts) part.tabIndex = current ? 0 : -1;
  }
}

/**
 * @param {string} name
 * @param {...HTMLElement} children
 */
function cell(name, ...children) {
  return element('div', { class: `ps-clip-${name}`, role: 'gridcell' }, ...children);
}

/**
 * @param {string} text
 * @param {string} label
 * @param {string} action
 */
function button(text, label, action) {
  return element('button', {
    class: 'ps-icon ps-row-button',
    type: 'button',
    tabindex: '-1',
    'aria-label': label,
    title: label,
    'data-action': action,
    text,
  });
}

/**
 * Properties of a field that a person writes in.
 *
 * @param {TextField} field
 * @param {string} label
 * @param {RowEvents} events
 */
function written(field, label, events) {
  return {
    class: `ps-field ps-field-${field}`,
    'aria-label': label,
    tabindex: '-1',
    'data-field': field,
    autocomplete: 'off',
    onblur: () => events.left(),
    /** @param {KeyboardEvent} event */
    onkeydown: (event) => events.key(event, field),
  };
}

/**
 * @param {HTMLElement} place
 * @param {string} label
 * @param {string} code
 * @param {string} frames
 */
function drawTime(place, label, code, frames) {
  const shown = `${code} ${frames}`;
  if (place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  place.replaceChildren(
    element('span', { class: 'ps-small-label', text: label }),
    element('span', { class: 'ps-code', text: code }),
    element('span', { class: 'ps-frames ps-muted', text: frames }),
  );
}

/** @param {HTMLTextAreaElement} area */
function fit(area) {
  if (CSS.supports('field-sizing', 'content')) return;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight + 2}px`;
}
